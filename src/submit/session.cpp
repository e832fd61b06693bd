#include "submit/session.h"

#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

namespace submit {

using base::Done;
using base::done;

namespace {

constexpr std::size_t line_limit = 8 * 1024;
constexpr std::size_t recipient_limit = 100'000;
constexpr int error_limit_handover = 100;
constexpr int error_limit = 20;
constexpr int error_limit_network = 5;

}  // namespace

Session::Session(const SessionRules& rules, std::function<base::Fd()> take_file)
    : rules_(rules), file_(std::move(take_file)) {
  reply("220 " + rules_.host_name + " ESMTP Mailbearer");
}

void Session::hear(std::string_view bytes) {
  if (input_.empty()) {
    input_ = bytes.substr(understand(bytes));
    return;
  }
  input_ += bytes;
  input_.erase(0, understand(input_));
}

// How many of the bytes are done with.
std::size_t Session::understand(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && !ended_ && !waits_ && !wants_tls_) {
    const std::string_view rest = bytes.substr(at);
    std::size_t taken = 0;
    if (state_ == State::chunk) {
      taken = take_piece(rest);
    } else if (state_ == State::content) {
      taken = take_content(rest);
    } else {
      taken = take_line(rest);
      if (taken == 0) break;  // no whole line yet
    }
    at += taken;
  }
  return ended_ ? bytes.size() : at;
}

std::size_t Session::take_line(std::string_view bytes) {
  const std::size_t newline = bytes.find('\n');
  if (newline == std::string_view::npos ? bytes.size() > line_limit : newline > line_limit) {
    refuse("500", "5.5.2 Line too long", 76);
    ended_ = true;
    return bytes.size();
  }
  if (newline == std::string_view::npos) return 0;
  std::string line(bytes.substr(0, newline));
  const bool crlf = !line.empty() && line.back() == '\r';
  if (crlf) line.pop_back();
  if (!std::exchange(any_line_, true)) crlf_ = crlf;
  if (state_ == State::command) {
    obey(line);
  } else {
    take_auth(line);
  }
  return newline + 1;
}

// A refusal: the text, and for the front end the exit code behind it.
void Session::refuse(const std::string& code, const std::string& text, int exit) {
  reply(code + " " + text + (front_end() ? " x=" + std::to_string(exit) : ""));
  const bool network = rules_.entrance == Entrance::network;
  const int limit = front_end() ? error_limit_handover
                    : network   ? error_limit_network
                                : error_limit;
  if (++errors_ >= limit) {
    reply("421 4.7.0 Too many errors");
    ended_ = true;
  }
}

void Session::forget() {
  submission_ = mail::Submission();
  own_ = Private();
  mail_given_ = false;
  recipient_refused_ = false;
  envelope_bytes_ = 0;
  data_.reset();
  state_ = State::command;
}

void Session::obey(const std::string& line) {
  const Command command = split_command(line);
  if (rules_.entrance == Entrance::network && obey_network(command)) return;
  if (command.verb == "EHLO") return greet(true);
  if (command.verb == "HELO") return greet(false);
  if (command.verb == "MAIL") return take_sender(command.rest);
  if (command.verb == "RCPT") return take_recipient(command.rest);
  if (command.verb == "BDAT" && front_end()) return begin_chunk(command.rest);
  if (command.verb == "DATA" && !front_end()) return begin_content(command.rest);
  obey_other(command.verb);
}

void Session::obey_other(const std::string& verb) {
  if (verb == "RSET") {
    forget();
    reply("250 2.0.0 Ok");
  } else if (verb == "NOOP") {
    reply("250 2.0.0 Ok");
  } else if (verb == "QUIT") {
    reply("221 2.0.0 Bye");
    ended_ = true;
    said_quit_ = true;
  } else if (verb == "HELP") {
    reply("214 2.0.0 See sendmail(8)");
  } else if (verb == "VRFY") {
    reply("252 2.0.0 Send it and see");
  } else if (verb == "DATA" || verb == "BDAT" || verb == "EXPN" || verb == "AUTH" ||
             verb == "STARTTLS") {
    refuse("502", "5.5.1 Not offered here", 76);
  } else {
    refuse("500", "5.5.1 Unknown command", 76);
  }
}

void Session::greet(bool extended) {
  forget();
  if (!extended) {
    reply("250 " + rules_.host_name);
    return;
  }
  reply("250-" + rules_.host_name);
  reply("250-PIPELINING");
  reply("250-8BITMIME");
  reply("250-SMTPUTF8");
  reply("250-DSN");
  if (front_end()) {
    reply("250-CHUNKING");
    reply("250-X-MAILBEARER 1");
    if (rules_.takes_files) reply("250-X-FILE");
  }
  if (rules_.offers_tls && !tls_) reply("250-STARTTLS");
  if (rules_.wants_auth && (tls_ || !rules_.offers_tls)) reply("250-AUTH PLAIN LOGIN");
  reply("250-ENHANCEDSTATUSCODES");
  reply("250 SIZE " + std::to_string(rules_.size_limit_bytes));
}

void Session::take_sender(const std::string& rest) {
  if (mail_given_) return refuse("503", "5.5.1 MAIL was given already", 76);
  base::Result<Path> path = parse_path(rest, "FROM");
  if (!path) return refuse("553", "5.1.7 not sent: " + path.error().cause, 65);
  mail::Envelope& envelope = submission_.envelope;
  std::uint64_t declared = 0;
  const Done taken = take_mail_parameters(*path, front_end(), envelope, own_, declared);
  const std::uint64_t limit = rules_.size_limit_bytes;
  if (!taken) {
    refuse("555", "5.5.4 " + taken.error().cause, 65);
    forget();
    return;
  }
  if (own_.verify && !rules_.verifies) {
    refuse("555", "5.5.4 not sent: this agent does not verify addresses (-bv)", 64);
    forget();
    return;
  }
  if (limit > 0 && declared > limit) {
    refuse("552", "5.3.4 not sent: message over " + std::to_string(limit) + " bytes", 65);
    forget();
    return;
  }
  envelope.sender = path->mailbox;
  // The login name alone is what every sendmail fills in when nobody chose a sender.
  envelope.sender_given = envelope.sender.null() || envelope.sender.qualified() ||
                          envelope.sender.local != rules_.peer_login;
  mail_given_ = true;
  reply("250 2.1.0 Ok");
}

std::string Session::recipient_refusal(const std::string& rest, mail::Recipient& recipient) const {
  base::Result<Path> path = parse_path(rest, "TO");
  if (!path) return "553 5.1.3 not sent: " + path.error().cause;
  if (path->mailbox.null()) return "553 5.1.3 not sent: empty recipient";
  if (submission_.envelope.recipients.size() >= recipient_limit) {
    return "452 4.5.3 not sent: more than " + std::to_string(recipient_limit) + " recipients";
  }
  recipient.mailbox = path->mailbox;
  const Done taken = take_rcpt_parameters(*path, recipient);
  return taken ? std::string() : "555 5.5.4 " + taken.error().cause;
}

void Session::take_recipient(const std::string& rest) {
  if (!mail_given_) return refuse("503", "5.5.1 MAIL first", 76);
  mail::Recipient recipient;
  const std::string refusal = recipient_refusal(rest, recipient);
  if (!refusal.empty()) {
    // The front end means all of them; a person's mail program may go on without this one.
    recipient_refused_ = recipient_refused_ || front_end();
    return refuse(refusal.substr(0, 3), refusal.substr(4), 65);
  }
  constexpr std::size_t of_each = 160;  // beside its text: strings, and what finds it again
  if (mail::add_recipient(submission_.envelope, std::move(recipient))) {  // no address twice
    envelope_bytes_ += 2 * rest.size() + of_each;
  }
  reply("250 2.1.5 Ok");
}

// Why data cannot be taken now; empty: it can.
std::string Session::data_refusal() const {
  if (!mail_given_) return "5.5.1 MAIL first";
  if (submission_.envelope.recipients.empty()) return "5.5.1 no recipient";
  if (recipient_refused_) return "5.5.1 a recipient was refused";
  return {};
}

}  // namespace submit
