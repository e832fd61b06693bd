#include "verb/agent_call.h"

#include <unistd.h>

#include "verb/console.h"

namespace verb {

std::string control_of(const Place& place) {
  if (!place.environment.socket.empty()) return submit::control_socket(place.environment.socket);
  if (place.paths.profile == account::Profile::system) return "/run/mailbearer/control.sock";
  const std::string own = cli::runtime_dir(place.person.uid);
  return own.empty() ? std::string() : own + "/control.sock";
}

bool agent_answers(const Place& place) {
  const std::string control = control_of(place);
  return !control.empty() && access(control.c_str(), F_OK) == 0;
}

int ask_agent(const Place& place, const std::string& request,
              const std::function<void(std::string_view line)>& take) {
  const std::string control = control_of(place);
  if (control.empty() || access(control.c_str(), F_OK) != 0) {
    return complain(base::failure(base::Fault::unavailable, "no agent runs for this profile",
                                  "messages are delivered at once and none is kept; see "
                                  "mailbearer-agent(8)"));
  }
  const base::Result<submit::Refusal> answered =
      submit::ask(control, request, base::Secret(), take);
  if (!answered) return complain(answered.error());
  if (answered->exit == 0) return 0;
  base::Error error;
  error.cause = answered->sentence;
  complain(error);
  return answered->exit;
}

}  // namespace verb
