// message_ids: keeps a series of messages threaded where the provider replaces Message-IDs: the new
// id of each message is remembered, and put into what answers it. Source: design section 4,
// map_message_ids; Exchange Online names the new id in its final reply. Costs nothing unless the
// account maps. Errors: none; a message goes out whatever becomes of its ids. Limits and trust:
// those of message_id_store.h and mail/message_ids.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "account/account.h"
#include "base/fate.h"
#include "mail/header.h"
#include "transport/message_id_store.h"

namespace transport {

class MessageIds {
 public:
  // `state_dir` empty: nothing is kept.
  MessageIds(const std::string& state_dir, const account::Account& account);

  // Before the message is prepared: its In-Reply-To and References name what the provider knows.
  void map(mail::Header& header) const;
  // After the delivery of a message with this header.
  void remember(const mail::Header& sent, const std::vector<base::Fate>& fates) const;

 private:
  std::optional<MessageIdStore> store_{};
};

}  // namespace transport
