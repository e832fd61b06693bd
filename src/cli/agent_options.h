// agent_options: the command line of mailbearer-agent: --once --config FILE (--user | --system);
// --foreground [--listen PATH] [--control PATH] [--spool DIR] [--config FILE] (--user | --system);
// --version. Errors: Fault::usage.
#pragma once

#include <cstdint>
#include <string>

#include "account/configuration.h"
#include "base/result.h"

namespace cli {

struct AgentOptions {
  enum class Run : std::uint8_t { once, foreground };
  bool show_version = false;
  Run run = Run::once;
  std::string config{};  // always there with `once`; else empty: the profile's own
  account::Profile profile = account::Profile::person;
  std::string listen{};   // a socket's path; empty: passed by systemd, or the profile's own
  std::string control{};  // the same, of the second socket
  std::string spool{};    // empty: the profile's own
};

base::Result<AgentOptions> parse_agent_options(int argc, const char* const* argv);

}  // namespace cli
