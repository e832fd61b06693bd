// Every cure in the table of replies that says `mailbearer ...` names a command that there is.
#include <span>

#include "base/replies_row.h"
#include "base/text.h"
#include "catch.h"
#include "cli/command.h"

namespace {

// The commands in a cure, up to what ends one in a sentence.
std::vector<std::string> commands_in(const std::string& cure) {
  std::vector<std::string> out;
  constexpr std::string_view name = "mailbearer ";
  for (std::size_t at = cure.find(name); at != std::string::npos; at = cure.find(name, at + 1)) {
    out.push_back(cure.substr(at, cure.find_first_of(",;()[", at) - at));
  }
  return out;
}

std::string filled(std::string command) {
  const std::string account = "{account}";
  for (std::size_t at = 0; (at = command.find(account)) != std::string::npos;) {
    command.replace(at, account.size(), "work");
  }
  return command;
}

}  // namespace

TEST_CASE("cures: each command that the table of replies tells a person to type can be typed",
          "[doctor]") {
  std::size_t seen = 0;
  for (const auto rows :
       {base::smtp_reply_rows(), base::token_status_rows(), base::token_error_rows(),
        base::token_number_rows(), base::token_other_rows(), base::graph_reply_rows()}) {
    for (const base::ReplyRow& row : rows) {
      for (const std::string& command : commands_in(row.cure)) {
        ++seen;
        INFO(command);
        std::vector<std::string> words = base::words(filled(command));
        std::vector<const char*> argv;
        for (const std::string& word : words) argv.push_back(word.c_str());
        const auto parsed = cli::parse_command(static_cast<int>(argv.size()), argv.data());
        CHECK(parsed.ok());
      }
    }
  }
  CHECK(seen > 20);
}
