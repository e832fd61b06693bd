// submission: what every entrance yields: envelope, message, who brought it, id.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "mail/envelope.h"
#include "mail/message.h"

namespace mail {

struct Peer {
  uid_t uid = static_cast<uid_t>(-1);
  std::vector<gid_t> groups{};
  bool over_network = false;  // a TCP peer: matched as @listen
};

struct Submission {
  std::string id{};  // 32 hex digits
  Peer peer{};
  std::string asked_account{};  // --account, or empty
  Envelope envelope{};
  Message message{};
  bool verify = false;  // -bv: tell what would become of it; send nothing
  std::int64_t at = 0;  // wall clock, fixed at submission
};

// The same submission once more, for a second account: id, date and bytes are equal, and the bytes
// of a large message are shared.
base::Result<Submission> twin_of(const Submission& submission);

}  // namespace mail
