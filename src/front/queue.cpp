#include "front/queue.h"

#include <unistd.h>

#include "cli/environment.h"
#include "cli/profile.h"
#include "submit/ask.h"

namespace front {

namespace {

// The second socket of the agent that would take this caller's mail; empty: none listens.
std::string control() {
  const base::Result<cli::Route> route =
      cli::choose_route(cli::read_environment(), cli::person_of(getuid()));
  if (!route || route->socket.empty()) return {};
  std::string path = submit::control_socket(route->socket);
  return access(path.c_str(), F_OK) == 0 ? path : std::string();
}

base::Result<std::string> answer(const std::string& request, const std::string& otherwise) {
  const std::string path = control();
  if (path.empty()) return otherwise;
  std::string out;
  const base::Result<submit::Refusal> asked =
      submit::ask(path, request, {}, [&out](std::string_view line) {
        out += line;
        out += '\n';
      });
  if (!asked) return asked.error();
  if (asked->exit == 0) return out;
  return base::failure(base::Fault::unavailable, asked->sentence);
}

}  // namespace

base::Result<std::string> list_queue() {
  return answer("XQUEUE mailq", "Mail queue is empty\n");
}

base::Result<std::string> run_queue() {
  base::Result<std::string> asked = answer("XQUEUE retry *", "");
  if (!asked) return asked;
  return std::string();  // boot and dial-up hooks want silence
}

}  // namespace front
