// accounts: which there are, and by which way each sends.
#include "verb/accounts_json.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/endings.h"
#include "verb/place.h"

namespace verb {

namespace {

using account::Account;

std::string padded(std::string text, std::size_t width) {
  text.append(text.size() < width ? width - text.size() : 1, ' ');
  return text;
}

std::string line_of(const Account& account, bool is_default) {
  std::string out = (is_default ? "* " : "  ") + padded(account.name, 16);
  if (account.broken) return out + "faulty: " + account.broken->cause + "\n";
  out += padded(account.user, 32) + padded(account.provider, 20);
  out += account.transport == account::Transport::graph ? "graph" : "smtp ";
  std::string from;
  for (const std::string& each : account.from) {
    if (each != account.user) from += " " + each;
  }
  return out + (from.empty() ? "" : "  also" + from) + "\n";
}

}  // namespace

int accounts(const Call& call) {
  const Place place(call.command);
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  if (call.command.json) return say(accounts_json(*loaded));
  std::string out;
  for (const Account& each : loaded->accounts) {
    out += line_of(each, each.name == loaded->default_account);
  }
  if (out.empty()) {
    return complain(base::failure(base::Fault::config, "no account in " + place.paths.main_file,
                                  "run: mailbearer login"));
  }
  int worst = 0;
  return say(out + told_endings(loaded->accounts, worst));
}

}  // namespace verb
