#include "agent/notice.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "account/choose.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/random.h"
#include "base/text.h"
#include "mail/envelope.h"
#include "net/stream.h"
#include "report/log.h"
#include "report/tell.h"

namespace agent {

namespace {

using Kind = queue::Event::Kind;
constexpr std::int64_t command_ms = 60'000;

const char* word_of(Kind kind) {
  switch (kind) {
    case Kind::damaged:
      return "damaged";
    case Kind::newer:
      return "newer";
    case Kind::account_held:
      return "account-held";
    case Kind::account_freed:
      return "account-freed";
    case Kind::held:
      return "held";
    case Kind::bounced:
      return "bounced";
    case Kind::delayed:
      return "delayed";
    case Kind::summarised:
      return "summarised";
    case Kind::undeliverable:
      return "undeliverable";
    case Kind::dropped:
      return "dropped";
    case Kind::unwritable:
      return "unwritable";
    case Kind::writable:
      return "writable";
  }
  return "";
}

// Somebody has to do something.
bool is_urgent(Kind kind) {
  return kind == Kind::account_held || kind == Kind::unwritable || kind == Kind::damaged;
}

bool is_good(Kind kind) {
  return kind == Kind::account_freed || kind == Kind::writable || kind == Kind::bounced ||
         kind == Kind::delayed || kind == Kind::summarised;
}

std::string waiting(const queue::Event& event) {
  if (event.count == 0) return "";
  return "; " + std::to_string(event.count) +
         (event.count == 1 ? " message waits" : " messages wait") + ", the oldest for " +
         std::to_string(event.oldest_s / 60) + " min";
}

}  // namespace

std::string sentence_of(const queue::Event& event) {
  const base::Error& why = event.error;
  const std::string reason =
      why.cause.empty() ? event.text : why.cause + (why.cure.empty() ? "" : "; " + why.cure);
  const std::string of = event.account.empty() ? "" : " (" + event.account + ")";
  std::string out;
  switch (event.kind) {
    case Kind::account_held:
      out = "account " + event.account + " needs a person: " + reason + waiting(event);
      break;
    case Kind::account_freed:
      out = "account " + event.account + " works again" + waiting(event);
      break;
    case Kind::damaged:
      out = "damaged file " + event.id + " was moved to damaged/ in the spool: " + reason;
      break;
    case Kind::newer:
      out = std::to_string(event.count) + " messages of a later version were left alone";
      break;
    case Kind::held:
      out = event.id + of + " is held: " + reason + "; see: mailbearer queue show " + event.id;
      break;
    case Kind::bounced:
    case Kind::delayed:
    case Kind::summarised:
      out = event.id + of + ": the sender is told by " + event.text;
      break;
    case Kind::undeliverable:
      out = event.id + of + " cannot be delivered, and nobody can be told: " + reason;
      break;
    case Kind::dropped:
      out = event.id + of + " was held too long and is gone: " + reason;
      break;
    case Kind::unwritable:
      out = "the spool cannot be written, nothing is sent until it can: " + reason;
      break;
    case Kind::writable:
      out = "the spool can be written again";
      break;
  }
  return base::clean(out, 1000);
}

report::LogLine log_line_of(const queue::Event& event) {
  report::LogLine line;
  line.good = is_good(event.kind);
  line.urgent = is_urgent(event.kind);
  line.fields.emplace_back("event", word_of(event.kind));
  if (!event.id.empty()) line.fields.emplace_back("id", base::clean(event.id, 100));
  if (!event.account.empty()) line.fields.emplace_back("account", event.account);
  if (event.count > 0) line.fields.emplace_back("messages", std::to_string(event.count));
  line.fields.emplace_back("text", sentence_of(event));
  return line;
}

base::Result<mail::Submission> notice_message(const account::Configuration& configuration,
                                              const account::Account& via,
                                              const std::string& text) {
  mail::Submission message;
  message.id = base::random_hex(16);
  message.at = base::wall_seconds();
  message.peer.uid = 0;
  message.asked_account = via.name;
  base::Done added = mail::add_argument(message.envelope, configuration.local_mail_to);
  if (!added) return std::move(added).error();
  if (message.envelope.recipients.empty()) {
    return base::failure(base::Fault::config, "local_mail_to names nobody for notices",
                         "set local_mail_to");
  }
  base::Result<mail::Mailbox> sender = mail::parse_reverse_path(via.user);
  if (!sender) return std::move(sender).error();
  message.envelope.sender = std::move(*sender);
  message.envelope.sender_given = true;
  base::Scratch bytes;
  base::Done written = bytes.append(
      "From: Mailbearer <" + via.user + ">\r\nTo: " + configuration.local_mail_to +
      "\r\nSubject: Mailbearer needs somebody\r\nAuto-Submitted: auto-generated\r\n\r\n" + text +
      "\r\n\r\nSee: mailbearer status\r\n");
  if (!written) return std::move(written).error();
  base::Result<mail::Message> split = mail::split(std::move(bytes));
  if (!split) return std::move(split).error();
  message.message = std::move(*split);
  return message;
}

Notices::Notices(const Surroundings& around, Post post)
    : around_(around), post_(std::move(post)), pool_(1) {}

void Notices::tell(const queue::Event& event, const SharedConfiguration& configuration) {
  if (configuration == nullptr) {
    const report::Log log("", report::Addresses::full);
    log.note(log_line_of(event));
    return;
  }
  log_of(*configuration).note(log_line_of(event));
  if (!is_urgent(event.kind)) return;
  const std::string text = sentence_of(event);
  pool_.add([this, event, configuration, text](std::size_t) {
    const std::vector<std::string> argv = base::words(main_value(*configuration, "notify_command"));
    if (!argv.empty()) run_command(argv, text);
    const std::string via = main_value(*configuration, "notify_via");
    // An account cannot tell of its own end.
    if (via.empty() || via == event.account) return;
    const base::Result<const account::Account*> account =
        account::find_account(*configuration, via);
    if (!account || (*account)->broken) return;
    const base::Result<mail::Submission> message = notice_message(*configuration, **account, text);
    if (message) post_(*message, via);
  });
}

// The sentence on its standard input; it has a minute.
void Notices::run_command(const std::vector<std::string>& argv, const std::string& text) const {
  base::Result<base::Child> child =
      base::start_child(argv, cli::environment_for_child(around_.environment), true);
  if (!child) return;
  {
    net::FdStream input(std::move(child->channel));
    // A program that does not read it is told nothing, and that is its own affair.
    static_cast<void>(input.write(text + "\n", base::Deadline::after_ms(command_ms)).ok());
  }
  base::reap_child(child->pid, base::Deadline::after_ms(command_ms));
}

}  // namespace agent
