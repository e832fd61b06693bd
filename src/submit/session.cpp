#include "submit/session.h"

#include <array>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "mail/read.h"
#include "submit/command.h"

namespace submit {

using base::Done;
using base::done;

namespace {

constexpr std::size_t line_limit = 8 * 1024;
constexpr std::size_t recipient_limit = 100'000;
constexpr int error_limit = 100;
constexpr std::size_t flush_bytes = 16 * 1024;

class Session {
 public:
  Session(net::Stream& stream, const SessionRules& rules, const Accept& accept)
      : stream_(stream), rules_(rules), accept_(accept), lines_(stream, line_limit) {}

  Done run() {
    answer("220 " + rules_.host_name + " ESMTP Mailbearer");
    while (!ended_) {
      // Replies of a pipelined flight leave together, before we wait for more (RFC 2920 3.2).
      if (!lines_.holds_more() || replies_.size() > flush_bytes) {
        Done flushed = flush();
        if (!flushed) return flushed;
      }
      base::Result<std::string> line = lines_.line(patience());
      if (!line) return std::move(line).error();
      Done obeyed = obey(*line);
      if (!obeyed) return obeyed;
    }
    Done last = flush();
    // Who says QUIT need not wait for the answer.
    return left_ ? done() : last;
  }

 private:
  base::Deadline patience() const { return base::Deadline::after_ms(rules_.idle_ms); }

  void answer(const std::string& line) { replies_ += line + "\r\n"; }

  // A refusal: the text, and for the front end the exit code behind it.
  void refuse(const std::string& code, const std::string& text, int exit) {
    answer(code + " " + text + " x=" + std::to_string(exit));
    if (++errors_ >= error_limit) {
      answer("421 4.7.0 Too many errors");
      ended_ = true;
    }
  }

  Done flush() {
    if (replies_.empty()) return done();
    Done written = stream_.write(replies_, patience());
    replies_.clear();
    return written;
  }

  Done obey(const std::string& line) {
    const Command command = split_command(line);
    if (command.verb == "EHLO") return greet(true);
    if (command.verb == "HELO") return greet(false);
    if (command.verb == "MAIL") return take_sender(command.rest);
    if (command.verb == "RCPT") return take_recipient(command.rest);
    if (command.verb == "BDAT") return take_chunk(command.rest);
    if (command.verb == "RSET") {
      forget();
      answer("250 2.0.0 Ok");
    } else if (command.verb == "NOOP") {
      answer("250 2.0.0 Ok");
    } else if (command.verb == "QUIT") {
      answer("221 2.0.0 Bye");
      ended_ = true;
      left_ = true;
    } else if (command.verb == "HELP") {
      answer("214 2.0.0 See sendmail(8)");
    } else if (command.verb == "VRFY") {
      answer("252 2.0.0 Send it and see");
    } else if (command.verb == "DATA" || command.verb == "EXPN" || command.verb == "AUTH" ||
               command.verb == "STARTTLS") {
      refuse("502", "5.5.1 Not offered here", 76);
    } else {
      refuse("500", "5.5.1 Unknown command", 76);
    }
    return done();
  }

  Done greet(bool extended) {
    forget();
    if (!extended) {
      answer("250 " + rules_.host_name);
      return done();
    }
    answer("250-" + rules_.host_name);
    answer("250-PIPELINING");
    answer("250-8BITMIME");
    answer("250-SMTPUTF8");
    answer("250-DSN");
    answer("250-CHUNKING");
    answer("250-X-MAILBEARER 1");
    if (rules_.takes_files) answer("250-X-FILE");
    answer("250-ENHANCEDSTATUSCODES");
    answer("250 SIZE " + std::to_string(rules_.size_limit_bytes));
    return done();
  }

  void forget() {
    submission_ = mail::Submission();
    own_ = Private();
    mail_given_ = false;
    recipient_refused_ = false;
  }

  Done take_sender(const std::string& rest) {
    if (mail_given_) {
      refuse("503", "5.5.1 MAIL was given already", 76);
      return done();
    }
    base::Result<Path> path = parse_path(rest, "FROM");
    if (!path) {
      refuse("553", "5.1.7 not sent: " + path.error().cause, 65);
      return done();
    }
    mail::Envelope& envelope = submission_.envelope;
    std::uint64_t declared = 0;
    Done taken = take_mail_parameters(*path, envelope, own_, declared);
    if (!taken) {
      refuse("555", "5.5.4 " + taken.error().cause, 65);
      forget();
      return done();
    }
    if (rules_.size_limit_bytes > 0 && declared > rules_.size_limit_bytes) {
      refuse("552",
             "5.3.4 not sent: message over " + std::to_string(rules_.size_limit_bytes) + " bytes",
             65);
      forget();
      return done();
    }
    envelope.sender = path->mailbox;
    // The login name alone is what every sendmail fills in when nobody chose a sender.
    envelope.sender_given = envelope.sender.null() || envelope.sender.qualified() ||
                            envelope.sender.local != rules_.peer_login;
    mail_given_ = true;
    answer("250 2.1.0 Ok");
    return done();
  }

  Done take_recipient(const std::string& rest) {
    if (!mail_given_) {
      refuse("503", "5.5.1 MAIL first", 76);
      return done();
    }
    base::Result<Path> path = parse_path(rest, "TO");
    mail::Recipient recipient;
    std::string refusal;
    if (!path) {
      refusal = "553 5.1.3 not sent: " + path.error().cause;
    } else if (path->mailbox.null()) {
      refusal = "553 5.1.3 not sent: empty recipient";
    } else if (submission_.envelope.recipients.size() >= recipient_limit) {
      refusal = "452 4.5.3 not sent: more than " + std::to_string(recipient_limit) + " recipients";
    } else {
      recipient.mailbox = path->mailbox;
      Done taken = take_rcpt_parameters(*path, recipient);
      if (!taken) refusal = "555 5.5.4 " + taken.error().cause;
    }
    if (!refusal.empty()) {
      recipient_refused_ = true;
      refuse(refusal.substr(0, 3), refusal.substr(4), 65);
      return done();
    }
    (void)mail::add_recipient(submission_.envelope, std::move(recipient));  // no address twice
    answer("250 2.1.5 Ok");
    return done();
  }

  // Why data cannot be taken now; empty: it can.
  std::string data_refusal() const {
    if (!mail_given_) return "5.5.1 MAIL first";
    if (submission_.envelope.recipients.empty()) return "5.5.1 no recipient";
    if (recipient_refused_) return "5.5.1 a recipient was refused";
    return {};
  }

  // The data, whatever becomes of it. A function of its own: the delivery that follows needs the
  // stack that the buffer takes.
  template <typename Take>
  [[gnu::noinline]] Done hear(std::uint64_t left, Take take) {
    std::array<char, 64 * 1024>
        buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init) filled below
    while (left > 0) {
      const std::size_t wanted =
          left < buffer.size() ? static_cast<std::size_t>(left) : buffer.size();
      base::Result<std::size_t> got = lines_.read(buffer.data(), wanted, patience());
      if (!got) return std::move(got).error();
      if (*got == 0)
        return base::failure(base::Fault::unavailable, "connection closed inside the data");
      left -= *got;
      take(std::string_view(buffer.data(), *got));
    }
    return done();
  }

  // BDAT n LAST, once: the handover has one chunk (design section 2).
  Done take_chunk(const std::string& rest) {
    const std::vector<std::string> words = base::words(rest);
    std::int64_t count = 0;
    if (rules_.takes_files && words.size() == 3 && words[0] == "0" && words[1] == "LAST" &&
        words[2] == "X-FILE") {
      return take_file();
    }
    const bool sound = words.size() == 2 && base::same_ignoring_case(words[1], "LAST") &&
                       base::parse_number(words[0], 0, INT64_MAX, count);
    if (!sound) {
      // Without the count the end of the data is unknown: the session cannot go on.
      refuse("501", "5.5.4 BDAT takes a count and LAST", 76);
      ended_ = true;
      return done();
    }
    const std::string refusal = data_refusal();
    base::Scratch bytes;
    mail::LineEnds normal(bytes);
    Done taken = refusal.empty() ? done() : base::failure(base::Fault::usage, refusal);
    const auto size = static_cast<std::uint64_t>(count);
    const bool too_big = rules_.size_limit_bytes > 0 && size > rules_.size_limit_bytes;
    Done heard = hear(size, [&](std::string_view piece) {
      if (taken.ok() && !too_big) taken = normal.feed(piece);
    });
    if (!heard) return heard;
    if (!refusal.empty()) {
      refuse("503", refusal, 76);
      forget();
      return done();
    }
    if (taken.ok()) taken = normal.finish();
    return finish_message(std::move(bytes), taken, too_big);
  }

  // BDAT 0 LAST X-FILE: the message lies in the file that came with these words, in the normal
  // form.
  Done take_file() {
    base::Fd file = stream_.take_file();
    const std::string refusal = data_refusal();
    if (!refusal.empty()) {
      refuse("503", refusal, 76);
      forget();
      return done();
    }
    base::Result<base::Scratch> bytes = base::Scratch::adopt(std::move(file));
    if (!bytes) return finish_message({}, std::move(bytes).error(), false);
    const bool too_big =
        rules_.size_limit_bytes > 0 && bytes->size_bytes() > rules_.size_limit_bytes;
    return finish_message(std::move(*bytes), done(), too_big);
  }

  Done finish_message(base::Scratch bytes, const Done& taken, bool too_big) {
    if (too_big) {
      refuse("552",
             "5.3.4 not sent: message over " + std::to_string(rules_.size_limit_bytes) + " bytes",
             65);
    } else if (!taken) {
      refuse("451", "4.3.0 not sent: " + taken.error().cause,
             taken.error().fault == base::Fault::io ? 74 : 73);
    } else {
      submit(std::move(bytes));
    }
    forget();
    return done();
  }

  void submit(base::Scratch bytes) {
    base::Result<mail::Message> message = mail::split(std::move(bytes));
    if (!message) {
      refuse("554", "5.6.0 not sent: " + message.error().cause, 65);
      return;
    }
    submission_.message = std::move(*message);
    submission_.id = own_.id.empty() ? base::random_hex(16) : own_.id;
    submission_.peer = rules_.peer;
    submission_.asked_account = own_.account;
    submission_.at = base::wall_seconds();
    const std::string id = submission_.id;
    const base::Result<bool> leaving = lines_.next_is("QUIT");
    const Verdict verdict = accept_(std::move(submission_), tracer(), leaving.ok() && !*leaving);
    if (verdict.exit == 0) {
      answer("250 2.0.0 Ok: queued as " + id + " x=0");
    } else {
      refuse(verdict.may_help_to_repeat ? "451" : "554",
             (verdict.may_help_to_repeat ? "4.3.0 " : "5.0.0 ") + verdict.text, verdict.exit);
    }
  }

  // X-TRACE: each line leaves at once as a preliminary reply (150), so that -v shows a slow server
  // as it is.
  base::Trace tracer() {
    if (!own_.trace) return {};
    return [this](std::string_view line) {
      answer("150 " + base::clean(line, 900));
      (void)flush().ok();  // a listener who left does not stop the delivery
    };
  }

  net::Stream& stream_;
  const SessionRules& rules_;
  const Accept& accept_;
  net::LineReader lines_;
  std::string replies_;
  mail::Submission submission_;
  Private own_;
  bool mail_given_ = false;
  bool recipient_refused_ = false;
  bool ended_ = false;
  bool left_ = false;  // by QUIT
  int errors_ = 0;
};

}  // namespace

Done serve(net::Stream& stream, const SessionRules& rules, const Accept& accept) {
  return Session(stream, rules, accept).run();
}

}  // namespace submit
