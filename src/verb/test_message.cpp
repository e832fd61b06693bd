#include "verb/test_message.h"

#include <unistd.h>

#include <array>

#include "base/process.h"
#include "base/random.h"
#include "base/text.h"
#include "verb/run_program.h"

namespace verb {

namespace {

using base::Fault;

constexpr std::int64_t patience_ms = 180'000;

std::string message_for(const account::Account& account, const std::string& to,
                        const std::string& id) {
  return "From: " + account.user + "\nTo: " + to + "\nSubject: Test message of mailbearer\n" +
         "Message-ID: <" + id + ">\nAuto-Submitted: auto-generated\n" +
         "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n" +
         "This message was sent through the account \"" + account.name + "\" (" + account.user +
         ").\nThat it is here means that programs on the host can send mail through it.\n";
}

std::string host_part(const std::string& address) {
  return address.substr(address.rfind('@') + 1);
}

// The line that sendmail ends with, without its own name.
std::string last_complaint(const std::string& err) {
  std::string last;
  for (const std::string_view line : base::split(err, '\n')) {
    if (line.starts_with("sendmail: ")) last = line.substr(10);
  }
  return base::clean(last.empty() ? "sendmail said nothing" : last, 2048);
}

// report/exit_code the other way round: the fault that ends with the same number.
Fault fault_of(int code) {
  static constexpr std::array<std::pair<int, Fault>, 11> table = {{{64, Fault::usage},
                                                                   {65, Fault::bad_message},
                                                                   {67, Fault::bad_recipient},
                                                                   {69, Fault::unavailable},
                                                                   {75, Fault::unavailable},
                                                                   {71, Fault::os},
                                                                   {73, Fault::cannot_create},
                                                                   {74, Fault::io},
                                                                   {76, Fault::protocol},
                                                                   {77, Fault::not_permitted},
                                                                   {78, Fault::config}}};
  for (const auto& [number, fault] : table) {
    if (number == code) return fault;
  }
  return Fault::bug;
}

}  // namespace

std::string accepted_id(const std::string& trace) {
  std::string found;
  for (std::string_view line : base::split(trace, '\n')) {
    if (line.starts_with("250 ")) {
      const std::size_t open = line.find('<');
      const std::size_t close = line.find('>', open == std::string_view::npos ? 0 : open);
      if (open == std::string_view::npos || close == std::string_view::npos) continue;
      const std::string_view id = line.substr(open + 1, close - open - 1);
      if (id.find('@') != std::string_view::npos) found = base::clean(id, 200);
    } else if (line.starts_with("< 202")) {
      const std::size_t at = line.find("request-id ");
      if (at != std::string_view::npos) found = base::clean(base::trim(line.substr(at + 11)), 200);
    }
  }
  return found;
}

bool has_left(const std::string& trace) {
  for (const std::string_view line : base::split(trace, '\n')) {
    // By DATA, BDAT or Graph; and sent whole with its envelope, where the server takes BDAT.
    if (line.find("(message, ") != std::string_view::npos || line.ends_with(" LAST (message)")) {
      return true;
    }
  }
  return false;
}

base::Result<std::string> send_test_message(const Place& place, const account::Account& account,
                                            const std::string& to) {
  std::vector<std::string> environment = cli::environment_for_child(place.environment);
  if (place.paths.profile == account::Profile::person) {
    environment.push_back("MAILBEARER_CONFIG=" + place.paths.main_file);
  }
  if (!place.environment.socket.empty()) {
    environment.push_back("MAILBEARER_SOCKET=" + place.environment.socket);
  }
  std::string program = base::program_folder() + "/sendmail";
  if (access(program.c_str(), X_OK) != 0) {
    program = base::sibling_program("mailbearer-sendmail", MAILBEARER_BIN);
  }
  const std::string id = base::random_hex(16) + "@" + host_part(account.user);
  const base::Result<Ended> ended = run_program(
      {program, "-v", "--wait", "-i", "-f", account.user, "--account", account.name, "--", to},
      environment, message_for(account, to, id), base::Deadline::after_ms(patience_ms));
  if (!ended) return ended.error();
  if (ended->code != 0) {
    base::Error error = base::failure(fault_of(ended->code), last_complaint(ended->err));
    error.cause += " (exit " + std::to_string(ended->code) + ")";
    return error;
  }
  // An agent that queues says yes before anybody has seen the message.
  if (!has_left(ended->out)) {
    return base::failure(Fault::unavailable,
                         "the message is in the queue, and not known to be delivered",
                         "see: mailbearer queue list");
  }
  const std::string found = accepted_id(ended->out);
  return found.empty() ? id : found;
}

}  // namespace verb
