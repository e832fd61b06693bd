// foresee: what will fail when the next message is sent, although every line of the configuration
// is sound: files that are not there, an agent that does not run, a keyring without its session.
// For `config check`. Looks at files and sockets; asks nobody on the network. Errors: none; what is
// found is the answer. Fault::config: it will surely fail; Fault::unavailable: as things are now.
#pragma once

#include <string>
#include <vector>

#include "account/configuration.h"
#include "base/error.h"

namespace doctor {

struct ForeseePlaces {
  std::string helper{};                // path of mailbearer-helper
  std::vector<std::string> sockets{};  // where an agent of this profile would listen
  std::string session_bus{};           // /run/user/UID/bus
};

std::vector<base::Error> foresee(const account::Configuration& configuration,
                                 const ForeseePlaces& places);

}  // namespace doctor
