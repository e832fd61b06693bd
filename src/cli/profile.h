// profile: which configuration serves this caller, and by which door.
// Source: design section 2, "Which profile". Errors: Fault::config (78) when there is no account on
// this host.
#pragma once

#include <string>

#include "account/configuration.h"
#include "base/result.h"
#include "cli/environment.h"

namespace cli {

struct Route {
  std::string socket{};          // an agent that listens; empty: one-shot
  bool socket_required = false;  // the socket must answer; never one-shot beside it
  std::string config{};          // for the one-shot agent
  account::Profile profile = account::Profile::person;
};

base::Result<Route> choose_route(const Environment& environment, const Person& person);

// For `mailbearer`: the file of the profile that is asked for, whether it exists or not.
std::string config_file(const Environment& environment, const Person& person,
                        account::Profile profile);

// providers.conf: in etc/ of the build tree when the program runs in place, else installed.
std::string providers_file();
// The host's own, /etc/mailbearer/providers.conf, whether it exists or not.
std::string site_providers_file();

}  // namespace cli
