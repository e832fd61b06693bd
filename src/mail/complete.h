// complete: fields that are missing: Date, Message-ID, From, To, their Resent- kind, Received.
// Source: design section 4; interface facts 3.9; RFC 5322 3.6. Date and Message-ID are fixed at
// submission.
#pragma once

#include <string>

#include "mail/address.h"
#include "mail/header.h"

namespace mail {

// From: for a message that has none (or an empty one): used by the front end, which alone knows the
// login name. `name`: -F or GECOS; control bytes become blanks; raw UTF-8 is left for encode_header
// (mime.h).
void add_missing_from(Header& header, const Mailbox& sender, std::string_view name);

struct Completion {
  std::int64_t at = 0;   // wall clock of the submission
  std::string id{};      // of the submission
  std::string domain{};  // right side of a new Message-ID and of Received
  Mailbox sender{};      // for a missing From
};

// Date, Message-ID, From, To, Resent-Date, Resent-Message-ID when missing or empty; Received on
// top.
void complete(Header& header, const Completion& facts);

}  // namespace mail
