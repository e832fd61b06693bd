// serve: one session over one stream, blocking: the one-shot agent, and -bs on standard input and
// output. Errors: only of the stream itself. Trusts: as session does.
#pragma once

#include <functional>

#include "base/result.h"
#include "base/trace.h"
#include "net/stream.h"
#include "submit/session.h"

namespace submit {

// more_to_come: the peer has not said QUIT behind the message, so that another may follow at once.
using Accept = std::function<Verdict(mail::Submission submission, const base::Trace& trace,
                                     bool more_to_come)>;

// Serves until QUIT or the end of the stream.
base::Done serve(net::Stream& stream, const SessionRules& rules, const Accept& accept);

}  // namespace submit
