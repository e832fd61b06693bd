// queue: `mailq` and `sendmail -q`: what waits with the agent that serves this caller. Where none
// listens nothing waits: messages are delivered at once. Source: interface facts 2.8. Errors:
// Fault::unavailable when the agent does not answer. Answers: what is printed.
#pragma once

#include <string>

#include "base/result.h"

namespace front {

base::Result<std::string> list_queue();
// All that waits is tried now.
base::Result<std::string> run_queue();

}  // namespace front
