// command: `mailbearer VERB [ACCOUNT] [options]`. The verbs are a table (data); one that is not
// built is not in it. Source: design section 7. Errors: Fault::usage, naming the nearest known
// word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account/configuration.h"
#include "base/result.h"

namespace cli {

enum class Verb : std::uint8_t {
  help,
  version,
  config_check,
  config_show,
  secret_set,
  secret_status,
  secret_clear,
  keyring_status,
  keyring_migrate,
  logout,
  token,
  refresh,
  explain,
};

struct Command {
  Verb verb = Verb::help;
  std::vector<std::string> operands{};        // what follows the verb: ACCOUNT, KIND
  std::optional<account::Profile> profile{};  // --system, --user; the last one
  bool json = false;                          // --json
  bool all = false;                           // --all
  std::string stage{};                        // --stage; empty: not said
};

base::Result<Command> parse_command(int argc, const char* const* argv);

// The manual in short, made of the table.
std::string command_help();

}  // namespace cli
