// ask: one request on the second socket of a standing agent, for `mailq` and `mailbearer`. Source:
// design section 2; agent/control.h has the requests. Errors: Fault::unavailable (nobody answers),
// Fault::protocol, and what the agent refuses, with the exit code that it names. Trusts: the
// server of the socket as far as door.h judges it; its lines as far as a limit.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace submit {

// `socket`: of the callers ("…/submit.sock"); the second one lies beside it.
std::string control_socket(const std::string& socket);

struct Refusal {
  int exit = 0;
  std::string sentence{};
};
// Gives each line of the answer to `take`. A refusal is no error of the call.
base::Result<Refusal> ask(const std::string& control, const std::string& request,
                          const base::Secret& secret,
                          const std::function<void(std::string_view line)>& take);

}  // namespace submit
