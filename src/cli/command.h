// command: `mailbearer VERB [ACCOUNT] [options]`. The verbs are a table (data); one that is not
// built is not in it. Source: design section 7. Errors: Fault::usage, naming the nearest known
// word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  login,
  accounts,
  status,
  queue_list,
  queue_show,
  queue_retry,
  queue_hold,
  queue_release,
  queue_remove,
  test,
  certificate,
  setup,
  doctor,
  import_from,
};

struct Command {
  Verb verb = Verb::help;
  std::vector<std::string> operands{};        // what follows the verb: ACCOUNT, KIND
  std::optional<account::Profile> profile{};  // --system, --user; the last one
  bool json = false;                          // --json
  std::string stage{};                        // --stage; empty: not said

  // Every other option that was given, in order: "--tenant" and its value, "--app" and "". A verb
  // sees only options of its own rows in the table.
  std::vector<std::pair<std::string, std::string>> options{};
  bool has(std::string_view option) const;
  std::string value(std::string_view option) const;  // of the last one; empty: not given
  std::vector<std::string> values(std::string_view option) const;
};

base::Result<Command> parse_command(int argc, const char* const* argv);

// The manual in short, made of the table; and that of one verb with its options. An unknown word
// answers with an empty text.
std::string command_help();
std::string command_help(std::string_view verb);

}  // namespace cli
