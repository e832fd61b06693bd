// agent_options: the command line of mailbearer-agent: --once --config FILE (--user | --system);
// --version. Errors: Fault::usage.
#pragma once

#include <string>

#include "account/configuration.h"
#include "base/result.h"

namespace cli {

struct AgentOptions {
  bool show_version = false;
  std::string config{};
  account::Profile profile = account::Profile::person;
};

base::Result<AgentOptions> parse_agent_options(int argc, const char* const* argv);

}  // namespace cli
