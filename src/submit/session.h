// session: the ESMTP server side of the handover. The data comes by BDAT only; DATA is refused
// (502). Source: RFC 5321, 1870 (SIZE), 2920 (PIPELINING), 3030 (CHUNKING), 3461 (DSN), 6152, 6531;
// design section 2 (X-MAILBEARER 1, ` x=<exit code>`). A message is taken for all its recipients or
// not at all. Limits: command line 8 KiB, 100,000 recipients, 100 errors a session. An end of the
// stream inside the data commits nothing. Errors: only of the stream itself. Trusts: nothing; the
// peer is named by the caller, from the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/trace.h"
#include "mail/submission.h"
#include "net/stream.h"

namespace submit {

struct SessionRules {
  std::string host_name = "localhost";
  std::uint64_t size_limit_bytes = 0;  // 0: none
  std::int64_t idle_ms = 600'000;      // for the next command, and for each piece of data
  mail::Peer peer{};
  bool takes_files = false;  // X-FILE: of our own front end, over a socket pair
  std::string peer_login{};  // MAIL FROM of this name alone is no chosen sender
};

// What the agent says to one message. exit 0: taken; the text is what follows the enhanced status
// code.
struct Verdict {
  int exit = 0;
  std::string text{};
  bool may_help_to_repeat = false;  // 451 rather than 554
};

// more_to_come: the peer has not said QUIT behind the message, so that another may follow at once.
using Accept = std::function<Verdict(mail::Submission submission, const base::Trace& trace,
                                     bool more_to_come)>;

// Serves until QUIT or the end of the stream.
base::Done serve(net::Stream& stream, const SessionRules& rules, const Accept& accept);

}  // namespace submit
