// graph_split: a message taken apart (mail/mime_split.h), as a record between helper and agent.
// Request: the limits; attached: the message. Answer: one file with the rest and the parts, and
// where each begins; or an error (net::put_error). Errors: Fault::protocol for a record that does
// not fit its file.
#pragma once

#include "base/result.h"
#include "mail/mime_split.h"
#include "net/record.h"

namespace transport {

base::Result<net::Record> split_request(const base::Scratch& message,
                                        const mail::SplitLimits& limits);
mail::SplitLimits split_limits(const net::Record& request);
base::Result<net::Record> split_answer(const mail::Split& split);
base::Result<mail::Split> split_of(net::Record answer);

}  // namespace transport
