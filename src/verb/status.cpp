// How it stands with the standing agent, in words; --check: in an exit code for monitoring.
#include <algorithm>
#include <string>

#include "verb/agent_answer.h"
#include "verb/agent_call.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/endings.h"
#include "verb/place.h"

namespace verb {

namespace {

constexpr std::int64_t long_wait_s = std::int64_t{4} * 3600;

// Plugins of monitoring: 0 fine, 1 warning, 2 critical.
int severity(const AgentStatus& status) {
  const bool account_held = std::any_of(status.accounts.begin(), status.accounts.end(),
                                        [](const AccountState& one) { return one.held; });
  if (account_held || status.unwritable || !status.configuration.empty() ||
      !status.broken.empty() || (status.no_accounts && status.messages > 0)) {
    return 2;
  }
  if (status.held > 0 || status.unknown > 0 || status.oldest_s > long_wait_s) return 1;
  return 0;
}

std::string account_line(const AccountState& one) {
  std::string line = "account " + one.name + ": ";
  if (one.held) {
    line += "held for " + age_text(one.held_s) + ": " + one.why;
  } else if (one.paused_s > 0) {
    line += "pauses for " + age_text(one.paused_s) + (one.why.empty() ? "" : ": " + one.why);
  } else {
    line += "works";
  }
  if (one.messages > 0) {
    line += "; " + std::to_string(one.messages) + " messages wait, the oldest for " +
            age_text(one.oldest_s);
  }
  return line + "\n";
}

std::string text_of(const AgentStatus& status) {
  std::string out = "queue: ";
  out += status.messages == 0
             ? "empty"
             : std::to_string(status.messages) + " messages, " + size_text(status.bytes) +
                   ", the oldest for " + age_text(status.oldest_s);
  out += "\n";
  if (status.held > 0) {
    out += "held: " + std::to_string(status.held) + " messages; see: mailbearer queue list\n";
  }
  if (status.unknown > 0) {
    out += "outcome unknown: " + std::to_string(status.unknown) +
           " messages, may have been delivered\n";
  }
  if (status.unwritable) {
    out += "spool: cannot be written, nothing is sent until it can; see that the disk has room\n";
  }
  if (!status.configuration.empty()) {
    out += "configuration: not in force: " + status.configuration + "\n";
  }
  if (status.no_accounts) {
    out += "accounts: none; mail is accepted and held; run: mailbearer login\n";
  }
  for (const AccountState& one : status.broken) {
    out += "account " + one.name + ": faulty: " + one.why + "\n";
  }
  for (const AccountState& one : status.accounts) out += account_line(one);
  return out;
}

}  // namespace

int status(const Call& call) {
  const Place place(call.command);
  const bool check = call.command.has("--check");
  std::string json;
  int exit = ask_agent(place, "XSTATUS", [&](std::string_view line) { json = line; });
  // An agent that does not answer where one is meant to is the worst that there is to tell.
  if (exit != 0) return check ? 2 : exit;
  base::Result<AgentStatus> read = read_status(json);
  if (!read) return check ? 2 : complain(read.error());
  int ending = 0;
  std::string endings;
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (loaded) endings = told_endings(loaded->accounts, ending);
  exit = say(call.command.json ? json + "\n" : text_of(*read) + endings);
  if (exit != 0) return exit;
  return check ? std::max(severity(*read), ending) : 0;
}

}  // namespace verb
