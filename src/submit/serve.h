// serve: one session over one stream, blocking: the one-shot agent, and -bs on standard input and
// output. Errors: only of the stream itself. Trusts: as session does.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "base/trace.h"
#include "net/stream.h"
#include "submit/session.h"

namespace submit {

// more_to_come: the peer has not said QUIT behind the message, so that another may follow at once.
using Accept = std::function<Verdict(mail::Submission submission, const base::Trace& trace,
                                     bool more_to_come)>;

// What STARTTLS is answered with: the stream inside TLS.
using Secure = std::function<base::Result<std::unique_ptr<net::Stream>>(net::Stream& plain)>;

// Serves until QUIT or the end of the stream.
base::Done serve(net::Stream& stream, const SessionRules& rules, const Accept& accept,
                 const Secure& secure = {});

}  // namespace submit
