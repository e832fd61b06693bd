// agent_call: asking the standing agent of this profile. Source: design sections 2 and 7.
#pragma once

#include <functional>
#include <string>

#include "submit/ask.h"
#include "verb/place.h"

namespace verb {

// The second socket of the agent that serves this profile: $MAILBEARER_SOCKET's neighbour, else the
// user's own or the host's.
std::string control_of(const Place& place);
// Whether an agent answers there: nothing is said when none is installed.
bool agent_answers(const Place& place);

// One request; each line of the answer goes to `take`. The exit code: of the refusal, which has
// been told to the person.
int ask_agent(const Place& place, const std::string& request,
              const std::function<void(std::string_view line)>& take);

}  // namespace verb
