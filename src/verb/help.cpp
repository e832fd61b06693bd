// help: the verbs, the options of one, and the pages on providers.
#include "account/providers.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/manual_text.h"
#include "verb/place.h"

namespace verb {

namespace {

// A page may be about several providers; an alias means the provider (providers.conf).
base::Result<std::string> page_for(const Call& call, const std::string& name) {
  base::Result<std::string> page = setup_page(name);
  if (page) return page;
  const Place place(call.command);
  const base::Result<account::Providers> providers =
      account::Providers::load(place.paths.providers_file, place.paths.site_providers_file);
  const std::string provider = providers ? providers->resolve(name) : std::string();
  if (provider.empty()) return page;
  return setup_page(provider == "microsoft-direct" ? "microsoft-relay" : provider);
}

}  // namespace

int help(const Call& call) {
  const std::string first = call.operand(0);
  if (first.empty()) return say(cli::command_help());
  if (first == "setup" && call.command.operands.size() > 1) {
    const base::Result<std::string> page = page_for(call, call.operand(1));
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
