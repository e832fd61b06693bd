// hand_over: the front end's side: one submission to an agent, and its verdict.
// Source: design section 2. One dialogue with PIPELINING; the message as one BDAT LAST, sent only
// when it is whole. Errors: none as a call; an agent that is gone is an Outcome too (69, 71).
// Trusts: the agent's replies only as far as a line limit; text is printed as it comes (the agent
// cleans it).
#pragma once

#include <functional>
#include <string>

#include "base/trace.h"
#include "mail/submission.h"
#include "net/stream.h"

namespace submit {

struct Outcome {
  int exit = 0;
  std::string text{};  // for stderr: "not sent (work): …"; empty on success
  bool may_help_to_repeat = false;
};

struct Handover {
  const mail::Submission* submission = nullptr;
  bool header_changed = false;  // the header differs from the bytes as they were read
  base::Trace trace{};
  bool wait = false;      // X-WAIT: for the provider's verdict, where the agent would queue
  bool verify = false;    // X-VERIFY: tell by `trace` what would become of it, and send nothing
  bool one_shot = false;  // the agent is a child of ours: what stops it is this machine's trouble
};

Outcome hand_over(net::Stream& agent, const Handover& handover);

}  // namespace submit
