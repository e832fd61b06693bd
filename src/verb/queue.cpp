// What waits with the standing agent: list, show, hold, release, retry, remove.
#include <string>
#include <vector>

#include "verb/agent_answer.h"
#include "verb/agent_call.h"
#include "verb/call.h"
#include "verb/console.h"

namespace verb {

namespace {

std::string state_of(const QueueRow& row) {
  if (row.active) return "being sent";
  if (!row.hold.empty()) return "held (" + row.hold + ")";
  if (row.next_in_s < 0) return "waits for its account";
  return row.next_in_s == 0 ? "due" : "tried again in " + age_text(row.next_in_s);
}

std::string short_line(const QueueRow& row) {
  std::string to = row.recipients.empty() ? "" : row.recipients.front().address;
  if (row.recipients.size() > 1) to += " (+" + std::to_string(row.recipients.size() - 1) + ")";
  std::string line = row.id + "  " + size_text(row.bytes) + "  " +
                     (row.account.empty() ? "-" : row.account) + "  " +
                     (row.sender.empty() ? "<>" : row.sender) + " -> " + to + "  " + state_of(row);
  if (!row.why.empty()) line += "\n    " + row.why;
  return line + "\n";
}

std::string whole(const QueueRow& row) {
  std::string out = "id        " + row.id + "\naccount   " +
                    (row.account.empty() ? "none yet" : row.account) + "\nuid       " +
                    std::to_string(row.uid) + "\nsize      " + size_text(row.bytes) +
                    "\nsender    " + (row.sender.empty() ? "<>" : row.sender) + "\nstate     " +
                    state_of(row) + ", " + std::to_string(row.attempts) + " attempts\n";
  if (!row.why.empty()) out += "reason    " + row.why + "\n";
  for (const QueueRecipient& one : row.recipients) {
    out += "to        " + one.address + ": " + one.state +
           (one.reply.empty() ? "" : " (" + one.reply + ")") + "\n";
  }
  return out;
}

int show_rows(const Call& call, const std::string& request,
              std::string (*form)(const QueueRow& row)) {
  const Place place(call.command);
  int exit = 0;
  std::size_t shown = 0;
  const int asked = ask_agent(place, request, [&](std::string_view line) {
    ++shown;
    if (call.command.json) {
      exit = exit != 0 ? exit : say(std::string(line) + "\n");
      return;
    }
    const base::Result<QueueRow> row = read_row(line);
    const int said = row ? say(form(*row)) : complain(row.error());
    exit = exit != 0 ? exit : said;
  });
  if (asked != 0) return asked;
  if (shown == 0 && !call.command.json && exit == 0) return say("nothing waits\n");
  return exit;
}

// Each of the ids; the first that fails decides the exit code, and the others are done all the
// same.
int each(const Call& call, const std::string& verb) {
  const Place place(call.command);
  const std::string lead = "XQUEUE " + verb + " ";
  int exit = 0;
  for (const std::string& id : call.command.operands) {
    const int one = ask_agent(place, lead + id, [](std::string_view) {});
    if (exit == 0) exit = one;
  }
  return exit;
}

}  // namespace

int queue_list(const Call& call) {
  return show_rows(call, "XQUEUE list", short_line);
}

int queue_show(const Call& call) {
  return show_rows(call, "XQUEUE show " + call.operand(0), whole);
}

int queue_retry(const Call& call) {
  if (!call.command.operands.empty()) return each(call, "retry");
  Count count;
  const int asked = ask_agent(Place(call.command), "XQUEUE retry *", [&](std::string_view line) {
    const base::Result<Count> read = read_count(line);
    if (read) count = *read;
  });
  if (asked != 0) return asked;
  return say(std::to_string(count.messages) + " messages are tried now\n");
}

int queue_hold(const Call& call) {
  return each(call, "hold");
}

int queue_release(const Call& call) {
  return each(call, "release");
}

int queue_remove(const Call& call) {
  return each(call, "remove");
}

}  // namespace verb
