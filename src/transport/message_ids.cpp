#include "transport/message_ids.h"

#include <string_view>

#include "base/clock.h"
#include "mail/message_ids.h"

namespace transport {

MessageIds::MessageIds(const std::string& state_dir, const account::Account& account) {
  if (!account.map_message_ids || state_dir.empty() || state_dir.front() != '/') return;
  store_.emplace(state_dir + "/message-ids/" + account.name + ".ids");
}

void MessageIds::map(mail::Header& header) const {
  if (!store_) return;
  const std::vector<std::string> ids = mail::referenced_ids(header);
  if (ids.empty()) return;
  const KnownIds known = store_->lookup(ids, base::wall_seconds());
  if (known.empty()) return;
  mail::map_message_ids(header, [&known](std::string_view id) -> const std::string* {
    const auto found = known.find(id);
    return found == known.end() ? nullptr : &found->second;
  });
}

void MessageIds::remember(const mail::Header& sent, const std::vector<base::Fate>& fates) const {
  if (!store_) return;
  const std::optional<std::string> ours = mail::message_id_of(sent);
  if (!ours) return;
  for (const base::Fate& fate : fates) {
    if (fate.state != base::Fate::State::delivered) continue;
    const std::optional<std::string> theirs = mail::new_message_id(fate.said, *ours);
    if (!theirs) continue;
    store_->remember(*ours, *theirs, base::wall_seconds());
    return;
  }
}

}  // namespace transport
