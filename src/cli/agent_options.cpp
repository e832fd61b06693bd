#include "cli/agent_options.h"

#include <array>
#include <string_view>

#include "base/text.h"

namespace cli {

namespace {

struct PathOption {
  std::string_view word;
  std::string AgentOptions::*field;
};
constexpr std::array path_options = {
    PathOption{"--config", &AgentOptions::config},
    PathOption{"--listen", &AgentOptions::listen},
    PathOption{"--control", &AgentOptions::control},
    PathOption{"--spool", &AgentOptions::spool},
};

// Whether `word` is one of them; its value is taken when there is one.
bool take_path(AgentOptions& options, const std::string& word, int argc, const char* const* argv,
               int& at) {
  for (const PathOption& option : path_options) {
    if (option.word != word || at + 1 >= argc) continue;
    options.*option.field = argv[++at];
    return true;
  }
  return false;
}

base::Error usage(const std::string& cause) {
  return base::failure(base::Fault::usage, cause, "see mailbearer-agent(8)");
}

}  // namespace

base::Result<AgentOptions> parse_agent_options(int argc, const char* const* argv) {
  AgentOptions options;
  bool once = false;
  bool foreground = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--version") {
      options.show_version = true;
      return options;
    }
    if (word == "--once") {
      once = true;
    } else if (word == "--foreground") {
      foreground = true;
    } else if (word == "--user") {
      options.profile = account::Profile::person;
    } else if (word == "--system") {
      options.profile = account::Profile::system;
    } else if (!take_path(options, word, argc, argv, i)) {
      return usage("unknown option " + base::clean(word, 60));
    }
  }
  if (once == foreground) return usage("--once or --foreground is needed");
  if (once && options.config.empty()) return usage("--once needs --config FILE");
  options.run = once ? AgentOptions::Run::once : AgentOptions::Run::foreground;
  return options;
}

}  // namespace cli
