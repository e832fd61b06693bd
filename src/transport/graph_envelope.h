// graph_envelope: the header with which Graph delivers to the envelope and to nobody else.
// Graph has no envelope: it delivers to those in To, Cc and Bcc, and takes Bcc out of the copies.
// Source: facts/providers.md 3.3; design section 6. Pure. Fields that name recipients of a resend
// (Resent-To, Resent-Cc) must name no stranger either, but are not relied on to reach anybody:
// whether Graph reads them is not documented. Addresses count by their mailbox: domain without
// case and in A-labels, local part exactly. Errors: Fault::not_permitted (strays refused),
// Fault::bad_message (a field that cannot be read, so that nobody knows whom Graph would find in
// it; a domain name that cannot be written).
#pragma once

#include <cstdint>

#include "base/result.h"
#include "mail/header.h"
#include "mail/prepare.h"

namespace transport {

// What becomes of header recipients that are not in the envelope: `envelope = strict | rewrite`.
enum class Strays : std::uint8_t { refused, moved };

// Moved: the whole field is kept as X-Mailbearer-To, -Cc, -Resent-To or -Resent-Cc, and those of
// its people who are in the envelope stay where they are. The names are our own, since
// X-Original-To is what Postfix writes and others believe at delivery; they are few and fixed,
// since Exchange keeps an X- field only after its name was registered in the mailbox.
base::Result<mail::Header> graph_header(const mail::Prepared& prepared, Strays strays);

}  // namespace transport
