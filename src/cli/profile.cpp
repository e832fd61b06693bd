#include "cli/profile.h"

#include <unistd.h>

#include "base/process.h"

namespace cli {

namespace {

// Debian's UID_MIN: below it are the system's own users, whose homes are not a person's.
constexpr uid_t first_person = 1000;

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::string system_config() {
  return std::string(MAILBEARER_ETC) + "/mailbearer.conf";
}

}  // namespace

std::string config_file(const Environment& environment, const Person& person,
                        account::Profile profile) {
  if (profile == account::Profile::system) return system_config();
  if (!environment.config.empty()) return environment.config;
  if (person.home.empty()) return {};
  return person.home + "/.config/mailbearer/mailbearer.conf";
}

std::string providers_file() {
  // An installed program must not look for a build tree around it: from /usr/bin, ../../etc is
  // /etc.
  const std::string folder = base::program_folder();
  const bool installed = folder == MAILBEARER_LIBEXEC || folder == MAILBEARER_BIN;
  // build/bin/../../etc, and one more level for a variant (build/address-undefined/bin).
  for (const char* up : {"/../../etc/providers.conf", "/../../../etc/providers.conf"}) {
    std::string in_tree = folder + up;
    if (!installed && exists(in_tree)) return in_tree;
  }
  return std::string(MAILBEARER_DATA) + "/providers.conf";
}

std::string site_providers_file() {
  return std::string(MAILBEARER_ETC) + "/providers.conf";
}

base::Result<Route> choose_route(const Environment& environment, const Person& person) {
  Route route;
  if (!environment.socket.empty()) {
    route.socket = environment.socket;
    route.socket_required = true;
    return route;
  }
  const std::string own = config_file(environment, person, account::Profile::person);
  const bool own_counts = !environment.config.empty() || person.uid >= first_person;
  if (own_counts && !own.empty() && (!environment.config.empty() || exists(own))) {
    route.config = own;
    // A configuration named for this call is not the one that a running agent has loaded.
    if (environment.config.empty()) {
      const std::string runtime = runtime_dir(person.uid);
      if (!runtime.empty() && exists(runtime + "/submit.sock"))
        route.socket = runtime + "/submit.sock";
    }
    return route;
  }
  if (exists("/run/mailbearer/submit.sock")) {
    route.socket = "/run/mailbearer/submit.sock";
    route.socket_required = true;
    return route;
  }
  if (exists(system_config())) {
    route.config = system_config();
    route.profile = account::Profile::system;
    return route;
  }
  return base::failure(base::Fault::config, "no mail account on this host",
                       "run: sudo mailbearer login --system (own account: mailbearer login)");
}

}  // namespace cli
