#include "sandbox/submission.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "sandbox/intake.h"

namespace sandbox {

namespace {
constexpr std::size_t command_limit = 2048;
constexpr std::size_t auth_command_limit = 16 * 1024;
constexpr std::int64_t session_ms = 3600 * 1000;
}  // namespace

Submission::Submission(Services& services, Connection& connection, std::uint64_t number)
    : services_(services),
      connection_(connection),
      wire_(connection, services.options.timeout_s * 1000),
      number_(number),
      session_id_(base::random_hex(8)) {
  std::transform(session_id_.begin(), session_id_.end(), session_id_.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
}

Submission::~Submission() {
  if (user_) services_.limits.leave(base::lower(user_->name));
}

const std::vector<Submission::Verb>& Submission::verbs() {
  static const std::vector<Verb> table = {
      {"EHLO", &Submission::ehlo}, {"HELO", &Submission::helo}, {"STARTTLS", &Submission::starttls},
      {"AUTH", &Submission::auth}, {"MAIL", &Submission::mail}, {"RCPT", &Submission::rcpt},
      {"DATA", &Submission::data}, {"BDAT", &Submission::bdat}, {"RSET", &Submission::rset},
      {"NOOP", &Submission::noop}, {"VRFY", &Submission::vrfy}, {"QUIT", &Submission::quit},
  };
  return table;
}

void Submission::run(bool implicit_tls) {
  note("smtp.connect", {{"tls", implicit_tls ? "implicit" : "no"}});
  if (implicit_tls && !shake_hands()) return;
  if (!greet()) return;
  const base::Deadline end = base::Deadline::after_ms(session_ms);
  std::string line;
  for (;;) {
    verb_ = "line";
    shown_.clear();
    Next next = Next::go_on;
    switch (wire_.line(line, auth_command_limit)) {
      case Wire::Got::line:
        next = command(line);
        break;
      case Wire::Got::too_long:
        next = reply("500 5.5.2 Line too long");
        break;
      case Wire::Got::bare_line_feed:
        // A client that sends one would be open to smuggling behind other servers.
        static_cast<void>(reply("500 5.5.2 Syntax error, line feed without carriage return"));
        next = Next::stop;
        break;
      case Wire::Got::timed_out:
        static_cast<void>(reply("421 4.4.1 Connection timed out. " + stamp()));
        next = Next::stop;
        break;
      case Wire::Got::closed:
        note("smtp.closed", {});
        return;
    }
    if (next == Next::stop || services_.stopping || end.passed()) break;
  }
  connection_.finish();
  note("smtp.closed", {{"outcome", "by server"}});
}

bool Submission::shake_hands() {
  verb_ = "tls";
  CertificateKind kind = CertificateKind::good;
  if (const std::optional<Fault> fault = services_.faults.take("tls")) {
    if (!parse_certificate_kind(fault->certificate, kind)) {
      if (suffer(*fault, "TLS") != Struck::no) return false;
    }
  }
  wire_.forget();
  const base::Done shaken = connection_.accept_tls(services_.tls, kind, wire_.deadline());
  note("smtp.tls", {{"outcome", shaken ? "ok" : "failed"}});
  return shaken.ok();
}

bool Submission::greet() {
  verb_ = "banner";
  switch (strike("banner", services_.host)) {
    case Struck::gone:
    case Struck::answered:
      return false;
    case Struck::no:
      break;
  }
  return reply("220 " + services_.host + " Microsoft ESMTP MAIL Service ready at " +
               base::rfc5322_date(base::wall_seconds()) + " [" + session_id_ + "]") == Next::go_on;
}

Submission::Next Submission::command(const std::string& line) {
  const std::size_t blank = line.find(' ');
  const std::string_view word = std::string_view(line).substr(0, blank);
  const std::string_view arguments =
      blank == std::string::npos ? std::string_view() : std::string_view(line).substr(blank + 1);
  const auto& table = verbs();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Verb& one) {
    return base::same_ignoring_case(one.name, word);
  });
  if (found == table.end()) {
    verb_ = "unknown";
    // A client that has lost its place may send a token here: long words are not repeated.
    shown_ = word.size() <= 12 ? base::clean(word, 60) : "a long word";
    pause(services_.options.tarpit_ms);
    return reply("500 5.3.3 Unrecognized command");
  }
  verb_ = base::lower(found->name);
  const bool secret = verb_ == "auth";
  const std::string_view first = arguments.substr(0, arguments.find(' '));
  shown_ = base::clean(secret ? (first.size() <= 16 ? first : "a long word") : arguments, 600);
  if (!secret && line.size() > command_limit) return reply("500 5.5.2 Line too long");
  if (wire_.holds_more() && !offers("PIPELINING") && verb_ != "bdat") {
    static_cast<void>(reply("503 5.5.1 Commands may not be pipelined here"));
    return Next::stop;
  }
  return (this->*found->take)(arguments);
}

bool Submission::offers(const char* capability) const {
  return services_.options.without.count(capability) == 0;
}

Submission::Next Submission::ehlo(std::string_view arguments) {
  if (arguments.empty()) return reply("501 5.5.4 Invalid domain name");
  const Struck struck = strike("ehlo", services_.host);
  if (struck != Struck::no) return struck == Struck::gone ? Next::stop : Next::go_on;
  greeted_ = true;
  forget_transaction();
  std::vector<std::string> lines = {services_.host + " Hello [127.0.0.1]"};
  if (offers("SIZE")) lines.push_back("SIZE " + std::to_string(services_.options.size_limit));
  for (const char* one : {"PIPELINING", "DSN", "ENHANCEDSTATUSCODES"}) {
    if (offers(one)) lines.emplace_back(one);
  }
  if (!connection_.encrypted()) {
    if (offers("STARTTLS")) lines.emplace_back("STARTTLS");
  } else if (offers("AUTH")) {
    lines.emplace_back(services_.options.oauthbearer ? "AUTH LOGIN XOAUTH2 OAUTHBEARER"
                                                     : "AUTH LOGIN XOAUTH2");
  }
  for (const char* one : {"8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"}) {
    if (offers(one)) lines.emplace_back(one);
  }
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text +=
        (i == 0 ? "" : "\n") + std::string("250") + (i + 1 == lines.size() ? " " : "-") + lines[i];
  }
  return reply(text);
}

Submission::Next Submission::helo(std::string_view arguments) {
  if (arguments.empty()) return reply("501 5.5.4 Invalid domain name");
  greeted_ = true;
  forget_transaction();
  return reply("250 " + services_.host + " Hello [127.0.0.1]");
}

Submission::Next Submission::starttls(std::string_view arguments) {
  if (connection_.encrypted()) return reply("503 5.5.2 TLS is active already");
  if (!offers("STARTTLS")) return reply("500 5.3.3 Unrecognized command 'STARTTLS'");
  if (!arguments.empty()) return reply("501 5.5.4 STARTTLS takes no arguments");
  const Struck struck = strike("starttls", "STARTTLS");
  if (struck != Struck::no) return struck == Struck::gone ? Next::stop : Next::go_on;
  // RFC 3207 section 4.2: what was sent in plain text before the handshake is an attack.
  const bool early = wire_.holds_more();
  if (early) {
    static_cast<void>(reply("503 5.5.1 Nothing may follow STARTTLS"));
    return Next::stop;
  }
  if (reply("220 2.0.0 SMTP server ready") == Next::stop || !shake_hands()) return Next::stop;
  greeted_ = false;
  user_.reset();
  forget_transaction();
  return Next::go_on;
}

Submission::Next Submission::rset(std::string_view) {
  const Struck struck = strike("rset", "RSET");
  if (struck != Struck::no) return struck == Struck::gone ? Next::stop : Next::go_on;
  forget_transaction();
  return reply("250 2.0.0 Resetting");
}

Submission::Next Submission::noop(std::string_view) {
  return reply("250 2.0.0 OK");
}

Submission::Next Submission::vrfy(std::string_view) {
  return reply("252 2.1.5 Cannot VRFY user");
}

Submission::Next Submission::quit(std::string_view) {
  if (recipient_strike("quit") != Struck::no || strike("quit", "QUIT") != Struck::no) {
    return Next::stop;
  }
  static_cast<void>(reply("221 2.0.0 Service closing transmission channel"));
  return Next::stop;
}

void Submission::forget_transaction() {
  in_transaction_ = false;
  utf8_ = false;
  body_ = "7BIT";
  envelope_ = EnvelopeFacts{};
  mail_parameters_.clear();
  recipient_faults_.clear();
  chunks_.reset();
}

}  // namespace sandbox
