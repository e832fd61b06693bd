#include "cli/agent_options.h"

#include "base/text.h"

namespace cli {

base::Result<AgentOptions> parse_agent_options(int argc, const char* const* argv) {
  AgentOptions options;
  bool once = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--version") {
      options.show_version = true;
      return options;
    }
    if (word == "--once") {
      once = true;
    } else if (word == "--user") {
      options.profile = account::Profile::person;
    } else if (word == "--system") {
      options.profile = account::Profile::system;
    } else if (word == "--config" && i + 1 < argc) {
      options.config = argv[++i];
    } else {
      return base::failure(base::Fault::usage, "unknown option " + base::clean(word, 60),
                           "see mailbearer-agent(8)");
    }
  }
  if (!once || options.config.empty()) {
    return base::failure(base::Fault::usage, "--once and --config FILE are needed",
                         "sendmail starts this program; see mailbearer-agent(8)");
  }
  return options;
}

}  // namespace cli
