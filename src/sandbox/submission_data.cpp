#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "sandbox/intake.h"
#include "sandbox/message_check.h"
#include "sandbox/submission.h"

namespace sandbox {

std::string Submission::data_refused() const {
  if (!in_transaction_) return "503 5.5.2 Need mail command";
  if (envelope_.to.empty()) return "503 5.5.2 Need rcpt command";
  return {};
}

namespace {

base::Result<std::unique_ptr<Intake>> start_intake(const Services& services,
                                                   const EnvelopeFacts& envelope) {
  base::Result<StoredMessage> file = StoredMessage::start(services.maildir);
  if (!file) return std::move(file).error();
  base::Done written = file->write(envelope_lines(envelope));
  if (!written) return std::move(written).error();
  return std::make_unique<Intake>(std::move(file).value(), services.options.size_limit,
                                  random_text(24) + "@" + services.host,
                                  services.options.replace_message_id);
}

constexpr const char* no_room = "452 4.3.1 Insufficient system resources";

}  // namespace

Submission::Next Submission::data(std::string_view arguments) {
  if (!arguments.empty()) return reply("501 5.5.4 DATA takes no arguments");
  std::string refused = data_refused();
  if (refused.empty() && chunks_) refused = "503 5.5.1 DATA may not follow BDAT";
  if (refused.empty() && body_ == "BINARYMIME") refused = "503 5.5.1 BINARYMIME needs BDAT";
  if (!refused.empty()) return reply(refused);
  Struck struck = recipient_strike("data");
  if (struck == Struck::no) struck = strike("data", "DATA");
  if (struck != Struck::no) return struck == Struck::gone ? Next::stop : Next::go_on;
  if (wire_.holds_more()) {
    // RFC 2920 section 3.1: DATA is the last command of a group.
    static_cast<void>(reply("503 5.5.1 Nothing may follow DATA before the 354"));
    return Next::stop;
  }
  if (reply("354 Start mail input; end with <CRLF>.<CRLF>") == Next::stop) return Next::stop;
  verb_ = "end";
  shown_.clear();
  return receive();
}

Submission::Next Submission::receive() {
  base::Result<std::unique_ptr<Intake>> intake = start_intake(services_, envelope_);
  base::Done stored = intake ? base::done() : base::Done(base::Error(intake.error()));
  DataFilter filter;
  std::string piece;
  bool silent = false;  // a reply was sent before the end: no second one
  bool struck_once = false;
  while (!filter.ended()) {
    const std::string_view bytes = wire_.bytes();
    if (bytes.empty()) {
      if (wire_.timed_out()) static_cast<void>(reply("421 4.4.1 Connection timed out. " + stamp()));
      return Next::stop;
    }
    if (!std::exchange(struck_once, true)) {
      Struck struck = recipient_strike("mid-data");
      if (struck == Struck::no) struck = strike("mid-data", "DATA");
      if (struck == Struck::gone) return Next::stop;
      silent = struck == Struck::answered;
    }
    piece.clear();
    wire_.consume(filter.take(bytes, piece));
    if (stored) stored = (*intake)->take(piece);
  }
  if (stored) stored = (*intake)->finish();
  if (silent) {
    forget_transaction();
    return Next::go_on;
  }
  if (!stored) {
    forget_transaction();
    return reply(no_room);
  }
  (*intake)->lines = filter.faults();
  return settle(**intake);
}

std::string Submission::judge(const Intake& intake) const {
  const LineFaults& lines = intake.lines;
  if (lines.bare_lf || lines.bare_cr || lines.nul) {
    return "550 5.6.11 Invalid characters; message contains a bare line feed, a bare carriage "
           "return or NUL, which cannot be sent via DATA";
  }
  const std::int64_t line_limit = services_.options.line_limit;
  if (line_limit > 0 && static_cast<std::int64_t>(lines.longest_line) > line_limit) {
    return "554 5.6.0 Invalid message content; a line is longer than " +
           std::to_string(line_limit) + " octets";
  }
  if (lines.eight_bit && !offers("8BITMIME")) {
    return "554 5.6.1 8-bit content is not accepted here";
  }
  if (intake.too_big()) return "552 5.3.4 Message size exceeds fixed maximum message size";
  const std::int64_t store_limit = services_.options.store_limit;
  if (store_limit > 0 && intake.size_bytes() > static_cast<std::uint64_t>(store_limit)) {
    return "554 5.2.0 STOREDRV.Submission.Exception:MessageSubmissionExceededException."
           "MapiExceptionMaxSubmissionExceeded; Message size exceeds maximum size limit";
  }
  return judge_header(intake.header(), user_ ? &*user_ : nullptr, services_.host);
}

Submission::Next Submission::settle_faults(Intake& intake, bool& answered) {
  std::vector<std::pair<std::string, Fault>> faults;
  for (const auto& [address, fault] : recipient_faults_) {
    if (fault.stage == "end" && services_.faults.strikes(address, fault)) {
      faults.emplace_back("<" + address + ">", fault);
    }
  }
  if (const std::optional<Fault> fault = services_.faults.take("end")) {
    faults.emplace_back("message", *fault);
  }
  for (const auto& [what, fault] : faults) {
    if (fault.keep && intake.keep()) {
      note("smtp.kept", {{"file", intake.file_name()}});
    }
    const Struck struck = suffer(fault, what);
    answered = struck != Struck::no;
    if (struck == Struck::gone) return Next::stop;
    if (answered) return Next::go_on;
  }
  return Next::go_on;
}

Submission::Next Submission::settle(Intake& intake) {
  std::string refused = judge(intake);
  const std::string mailbox = user_ ? base::lower(user_->name) : "";
  const std::string tail = " [Hostname=" + services_.host + "]";
  if (refused.empty() && services_.limits.too_many_connections(mailbox)) {
    refused =
        "432 4.3.2 Concurrent connections limit exceeded. Visit "
        "https://aka.ms/concurrent_sending for more information." +
        tail;
  }
  if (refused.empty()) {
    bool answered = false;
    const Next next = settle_faults(intake, answered);
    if (answered) {
      forget_transaction();
      return next;
    }
  }
  if (refused.empty() && !services_.limits.take_message(mailbox, base::boot_ms())) {
    refused = "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded" + tail;
  }
  if (refused.empty() && !intake.keep()) refused = no_room;
  if (refused.empty()) {
    note("smtp.kept", {{"file", intake.file_name()},
                       {"bytes", std::to_string(intake.size_bytes())},
                       {"recipients", std::to_string(envelope_.to.size())}});
  }
  forget_transaction();
  if (!refused.empty()) return reply(refused);
  return reply("250 2.0.0 OK <" + intake.message_id() + ">" + tail);
}

bool Submission::skip(std::uint64_t count) {
  while (count > 0) {
    const std::size_t held = wire_.bytes().size();
    if (held == 0) return false;
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(held, count));
    wire_.consume(taken);
    count -= taken;
  }
  return true;
}

Submission::Next Submission::bdat(std::string_view arguments) {
  const std::vector<std::string> words = base::words(arguments);
  std::int64_t count = 0;
  const bool last = words.size() == 2 && base::same_ignoring_case(words[1], "LAST");
  if (words.empty() || words.size() > 2 || (words.size() == 2 && !last) ||
      !base::parse_number(words[0], 0, services_.options.size_limit, count)) {
    // How much would follow is not known: nothing sound can come after it.
    static_cast<void>(reply("501 5.5.4 Invalid BDAT"));
    return Next::stop;
  }
  std::string refused = data_refused();
  if (!offers("CHUNKING")) refused = "500 5.3.3 Unrecognized command 'BDAT'";
  if (refused.empty() && !services_.options.chunking) {
    refused = "552 5.3.4 Header size exceeds fixed maximum size";
    forget_transaction();
  }
  std::uint64_t left = static_cast<std::uint64_t>(count);
  if (refused.empty() && !chunks_) {
    base::Result<std::unique_ptr<Intake>> intake = start_intake(services_, envelope_);
    if (intake) {
      chunks_ = std::move(intake).value();
    } else {
      refused = no_room;
    }
  }
  while (refused.empty() && left > 0) {
    const std::string_view bytes = wire_.bytes();
    if (bytes.empty()) return Next::stop;
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left));
    if (!chunks_->take(bytes.substr(0, taken))) refused = no_room;
    wire_.consume(taken);
    left -= taken;
  }
  if (!skip(left)) return Next::stop;
  if (!refused.empty()) return reply(refused);
  if (!last) return reply("250 2.6.0 CHUNK received OK, " + std::to_string(count) + " octets");
  const std::unique_ptr<Intake> whole = std::move(chunks_);
  if (!whole->finish()) return reply(no_room);
  return settle(*whole);
}

}  // namespace sandbox
