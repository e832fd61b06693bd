#include "front/hand_in.h"

#include <sys/wait.h>

#include <utility>

#include "base/process.h"
#include "cli/profile.h"
#include "mail/complete.h"
#include "submit/door.h"

namespace front {

namespace {

submit::Way way_to(const cli::Route& route, const cli::Environment& environment) {
  submit::Way way;
  way.socket = route.socket;
  way.socket_required = route.socket_required;
  way.once_argv = {base::sibling_program("mailbearer-agent", MAILBEARER_LIBEXEC), "--once",
                   route.profile == account::Profile::system ? "--system" : "--user", "--config",
                   route.config};
  way.environment = cli::environment_for_child(environment);
  return way;
}

// A session may last for days, and hand in thousands of messages: their agents end behind our back.
void bury_earlier_agents() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace

base::Result<submit::Outcome> hand_in(submit::Handover& handover, const cli::Person& person) {
  bury_earlier_agents();
  const cli::Environment environment = cli::read_environment();
  base::Result<cli::Route> route = cli::choose_route(environment, person);
  if (!route) return std::move(route).error();
  base::Result<submit::Agent> agent = submit::open_agent(way_to(*route, environment));
  if (!agent) return std::move(agent).error();
  handover.one_shot = agent->child >= 0;
  return submit::hand_over(*agent->stream, handover);
}

bool add_from(mail::Message& message, const cli::Person& person,
              const std::optional<mail::Mailbox>& sender,
              const std::optional<std::string>& full_name) {
  const mail::Field* from = message.header.find("From");
  if (from != nullptr && !mail::unfold(from->body).empty()) return false;
  const bool chosen = sender.has_value() && !sender->null();
  const mail::Mailbox address = chosen ? *sender : mail::Mailbox{person.login, ""};
  mail::add_missing_from(message.header, address,
                         full_name.value_or(chosen ? "" : person.full_name));
  return true;
}

}  // namespace front
