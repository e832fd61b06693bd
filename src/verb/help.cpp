// help: the verbs, the options of one, and the pages on providers.
#include "base/text.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/manual_text.h"

namespace verb {

int help(const Call& call) {
  const std::string first = call.operand(0);
  if (first.empty()) return say(cli::command_help());
  if (first == "setup" && call.command.operands.size() > 1) {
    const base::Result<std::string> page = setup_page(call.operand(1));
    return page ? say(*page) : complain(page.error());
  }
  const std::string text = cli::command_help(first);
  if (text.empty()) return say(cli::command_help());
  if (first != "setup") return say(text);
  std::string pages = "\nPages on providers (mailbearer help setup NAME):\n";
  for (const std::string& each : setup_pages()) pages += "  " + each + "\n";
  return say(text + pages);
}

}  // namespace verb
