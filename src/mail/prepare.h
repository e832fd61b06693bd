// prepare: the one pure step from a submission to the bytes for the wire: section 4 of the design,
// in order. Source: design section 4. Asks no clock, no network, no environment. Errors:
// Fault::bad_message, bad_recipient, not_permitted.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "mail/rewrite.h"
#include "mail/submission.h"

namespace mail {

struct Prepared {
  Envelope envelope{};  // qualified, expanded, permitted
  Message message{};    // header as it leaves (no Bcc); bytes/body_offset: the body as it came
  std::string id{};
  // What DATA would carry, before dot-stuffing: header, empty line, body.
  std::uint64_t size_bytes() const;
  bool needs_smtputf8() const;  // a non-ASCII local part, or header field that is UTF-8 by itself
};

base::Result<Prepared> prepare(Submission submission, const SenderRules& rules);

// The whole message as one Scratch, for re-encoding and Graph.
base::Result<base::Scratch> whole(const Prepared& prepared);
// The prepared message with other bytes for the whole (re-encoded): the header is read anew.
base::Done replace_whole(Prepared& prepared, base::Scratch bytes);

}  // namespace mail
