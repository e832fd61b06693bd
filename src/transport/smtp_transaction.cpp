#include "transport/smtp_transaction.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/text.h"
#include "mail/idn.h"
#include "transport/smtp_data.h"

namespace transport {

namespace {

// RFC 2920 3.1: what is sent ahead must fit the windows of both sides while nobody reads.
constexpr std::size_t flight_octets = std::size_t{32} * 1024;

std::string in_megabytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text.data();
}

base::Fate::State state_of(const base::Error& error) {
  if (error.fault == base::Fault::outcome_unknown) return base::Fate::State::unknown;
  switch (error.kind) {
    case base::FaultClass::permanent:
      return base::Fate::State::refused;
    case base::FaultClass::hold:
      return base::Fate::State::held;
    case base::FaultClass::temporary:
      break;
  }
  return base::Fate::State::deferred;
}

base::Error no_utf8() {
  base::Error error = base::failure(base::Fault::bad_message, "server takes no UTF-8 addresses",
                                    "use an ASCII address");
  error.status = "5.6.7";
  return error;
}

}  // namespace

base::Fate fate_of(const mail::Recipient& recipient, const base::Error& error) {
  base::Fate fate;
  fate.recipient = recipient.mailbox.text();
  fate.state = state_of(error);
  fate.error = error;
  return fate;
}

std::vector<base::Fate> same_fate(const mail::Envelope& envelope, const base::Error& error) {
  std::vector<base::Fate> out;
  for (const mail::Recipient& one : envelope.recipients) out.push_back(fate_of(one, error));
  return out;
}

base::Error too_large(std::uint64_t size, std::uint64_t limit, const std::string& whose) {
  base::Error error = base::failure(base::Fault::bad_message,
                                    "message is too large (" + in_megabytes(size) + ", " + whose +
                                        " takes " + in_megabytes(limit) + ")",
                                    "send less, or a link");
  error.status = "5.3.4";
  return error;
}

Transaction::Transaction(Dialogue& dialogue, const Delivery& delivery)
    : dialogue_(dialogue), delivery_(delivery), message_(*delivery.message) {
  for (const mail::Recipient& one : message_.envelope.recipients) {
    Line line;
    line.address = one.mailbox.text();
    lines_.push_back(std::move(line));
    fates_.push_back(fate_of(one, base::failure(base::Fault::unavailable, "not sent")));
  }
}

std::vector<base::Fate> Transaction::run() {
  dialogue_.set_sender(message_.envelope.sender.text());
  base::Done adapted = adapt();
  if (!adapted) {
    settle_rest(adapted.error());
  } else if (!must_stop() && (dialogue_.offers().pipelining ? in_flights() : step_by_step())) {
    content();
  }
  if (must_stop()) settle_rest(held_back());
  dialogue_.quit();
  return std::move(fates_);
}

// --- The message as this server can take it.

base::Done Transaction::adapt() {
  const Capabilities& offers = dialogue_.offers();
  spell_domains();
  utf8_ = message_.needs_smtputf8();
  if (utf8_ && !offers.smtputf8) return no_utf8();
  base::Done encoded = reencode();
  if (!encoded) return encoded;
  const std::uint64_t size = message_.size_bytes();
  if (offers.size_limit > 0 && size > offers.size_limit) {
    return too_large(size, offers.size_limit, "the server");
  }
  return write_commands();
}

// A domain goes as A-labels unless the local part needs UTF-8 anyhow. One that has none stays as it
// is, and is refused like any other UTF-8.
void Transaction::spell_domains() {
  const auto spell = [](mail::Mailbox& mailbox) {
    if (base::is_ascii(mailbox.domain) || !base::is_ascii(mailbox.local)) return;
    base::Result<std::string> labels = mail::to_a_labels(mailbox.domain);
    if (labels) mailbox.domain = *labels;
  };
  spell(message_.envelope.sender);
  for (mail::Recipient& one : message_.envelope.recipients) spell(one.mailbox);
}

base::Done Transaction::reencode() {
  const bool eight_bit = dialogue_.offers().eight_bit;
  if (!mail::needs_reencoding(message_.message, eight_bit)) return base::done();
  if (!delivery_.reencode) {
    return base::failure(base::Fault::bad_message, "server takes the message only re-encoded",
                         "encode its body as quoted-printable or base64");
  }
  base::Result<base::Scratch> before = mail::whole(message_);
  if (!before) return std::move(before).error();
  base::Result<base::Scratch> after = delivery_.reencode(*before, !eight_bit);
  if (!after) return std::move(after).error();
  return mail::replace_whole(message_, std::move(*after));
}

base::Done Transaction::write_commands() {
  base::Result<std::string> sender = wire_address(message_.envelope.sender);
  if (!sender) return std::move(sender).error();
  mail_command_ = "MAIL FROM:<" + *sender + ">" + mail_parameters() + "\r\n";
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const mail::Recipient& recipient = message_.envelope.recipients[i];
    base::Result<std::string> address = wire_address(recipient.mailbox);
    if (address) {
      lines_[i].command = "RCPT TO:<" + *address + ">" + rcpt_parameters(recipient) + "\r\n";
    } else {
      settle(i, address.error());
    }
  }
  return base::done();
}

// Whoever made the mailbox: nothing that could end the command or begin another may reach the wire.
base::Result<std::string> Transaction::wire_address(const mail::Mailbox& mailbox) const {
  std::string text = mailbox.text();
  if (!base::is_ascii(text) && !utf8_) return no_utf8();
  if (base::has_control(text) || mailbox.domain.find_first_of("<> \"") != std::string::npos) {
    return base::failure(base::Fault::bad_message,
                         "address " + base::clean(text, 128) + " holds a forbidden character",
                         "correct the address");
  }
  return text;
}

std::string Transaction::mail_parameters() const {
  const Capabilities& offers = dialogue_.offers();
  const mail::Envelope& envelope = message_.envelope;
  std::string out;
  if (offers.size) out += " SIZE=" + std::to_string(message_.size_bytes());
  if (offers.eight_bit && (message_.message.body_is_8bit || utf8_)) out += " BODY=8BITMIME";
  if (utf8_) out += " SMTPUTF8";
  if (offers.dsn && !envelope.ret.empty()) out += " RET=" + envelope.ret;
  if (offers.dsn && !envelope.envid.empty() && mail::is_xtext(envelope.envid)) {
    out += " ENVID=" + envelope.envid;
  }
  return out;
}

std::string Transaction::rcpt_parameters(const mail::Recipient& recipient) const {
  if (!dialogue_.offers().dsn) return {};
  std::string out;
  if (!recipient.notify.empty()) out += " NOTIFY=" + recipient.notify;
  const std::string_view orcpt = recipient.orcpt;
  const std::size_t type_end = orcpt.find(';');
  if (type_end != std::string_view::npos && mail::is_xtext(orcpt.substr(type_end + 1))) {
    out += " ORCPT=" + recipient.orcpt;
  }
  return out;
}

// --- The envelope.

bool Transaction::in_flights() {
  std::string flight = mail_command_;
  bool mail_unanswered = true;
  std::size_t unanswered = 0;  // the first recipient whose answer is outstanding
  for (std::size_t i = 0; i <= lines_.size(); ++i) {
    const bool last = i == lines_.size();
    flight += last ? "DATA\r\n" : lines_[i].command;
    if (!last && flight.size() < flight_octets) continue;
    base::Done sent = dialogue_.send(flight, last ? Stage::data : Stage::rcpt);
    if (!sent) return abandon(sent.error());
    flight.clear();
    if (std::exchange(mail_unanswered, false) && !read_mail_reply()) return false;
    for (; unanswered < std::min(i + 1, lines_.size()); ++unanswered) {
      Line& line = lines_[unanswered];
      if (!line.command.empty() && !read_rcpt_reply(line)) return false;
    }
  }
  base::Result<Reply> answer = dialogue_.reply(Stage::data);
  if (!answer) return abandon(answer.error());
  return data_answered(*answer);
}

bool Transaction::step_by_step() {
  base::Done sent = dialogue_.send(mail_command_, Stage::mail);
  if (!sent) return abandon(sent.error());
  if (!read_mail_reply()) return false;
  for (Line& line : lines_) {
    if (line.command.empty()) continue;
    sent = dialogue_.send(line.command, Stage::rcpt);
    if (!sent) return abandon(sent.error());
    if (!read_rcpt_reply(line)) return false;
    if (delivery_.all_or_nothing && must_stop()) return false;
  }
  if (must_stop()) return false;
  base::Result<Reply> answer = dialogue_.ask("DATA\r\n", Stage::data);
  if (!answer) return abandon(answer.error());
  return data_answered(*answer);
}

bool Transaction::read_mail_reply() {
  base::Result<Reply> answer = dialogue_.reply(Stage::mail);
  if (!answer) return abandon(answer.error());
  if (answer->positive()) return true;
  const base::Error judged = dialogue_.judged(*answer, Stage::mail);
  if (!dialogue_.offers().pipelining) return give_up(judged);
  // What was sent ahead is void, and a server may take its time to refuse each command of it.
  return abandon(judged);
}

bool Transaction::read_rcpt_reply(Line& line) {
  base::Result<Reply> answer = dialogue_.reply(Stage::rcpt);
  if (!answer) return abandon(answer.error());
  if (answer->positive()) {
    line.standing = Standing::accepted;
    return true;
  }
  const base::Error judged = dialogue_.judged(*answer, Stage::rcpt, line.address);
  // The server goes, or makes no sense: nothing more is to be learnt from it.
  if (answer->code == 421 || answer->more_wanted()) return abandon(judged);
  settle(static_cast<std::size_t>(&line - lines_.data()), judged);
  return true;
}

bool Transaction::data_answered(const Reply& reply) {
  if (must_stop()) {
    // P7: whoever is asked for the content now must not get any, not even QUIT as a line of it.
    if (reply.more_wanted()) dialogue_.hang_up();
    return false;
  }
  if (reply.code != 354) {
    const base::Error judged = dialogue_.judged(reply, Stage::data);
    return reply.more_wanted() ? abandon(judged) : give_up(judged);
  }
  return true;
}

// --- The content.

void Transaction::content() {
  // Nothing comes behind this message, so the farewell rides along.
  const bool quit_sent = dialogue_.offers().pipelining;
  base::Done sent = send_content(quit_sent ? "QUIT\r\n" : "");
  if (sent) {
    final_reply(quit_sent);
  } else if (sent.error().fault == base::Fault::outcome_unknown) {
    outcome_unknown(std::move(sent).error());
  } else {
    // Its end was not handed over: the server cannot have the message.
    abandon(sent.error());
  }
}

// The server may have the message and may have taken it.
void Transaction::outcome_unknown(base::Error error) {
  error.fault = base::Fault::outcome_unknown;
  error.kind = base::FaultClass::temporary;
  error.cause = "outcome unknown, may have been delivered: " + error.cause;
  error.cure = "look for it at the recipient before sending it again";
  abandon(error);
}

base::Done Transaction::send_content(std::string_view behind) {
  const std::string shown =
      "(message, " + std::to_string(message_.size_bytes()) + " octets)\n" + std::string(behind);
  ContentWriter writer([this, &shown](std::string_view bytes, bool last) {
    return dialogue_.send(bytes, last ? Stage::end : Stage::content,
                          last ? std::string_view(shown) : std::string_view());
  });
  base::Done fed = writer.feed(message_.message.header.text());
  if (fed) fed = writer.feed("\r\n");
  if (fed) {
    fed = message_.message.bytes.each_piece(
        message_.message.body_offset,
        [&writer](std::string_view piece) { return writer.feed(piece); });
  }
  if (!fed) return fed;
  return writer.finish(behind);
}

void Transaction::final_reply(bool quit_sent) {
  base::Result<Reply> answer = dialogue_.reply(Stage::end);
  if (!answer || answer->more_wanted()) {
    outcome_unknown(answer ? dialogue_.judged(*answer, Stage::end) : answer.error());
    return;
  }
  if (!answer->positive()) {
    settle_rest(dialogue_.judged(*answer, Stage::end));
  } else {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i].standing != Standing::accepted) continue;
      lines_[i].standing = Standing::settled;
      fates_[i].state = base::Fate::State::delivered;
      fates_[i].error = base::Error();
      fates_[i].said = one_line(*answer);
    }
  }
  if (quit_sent) dialogue_.hang_up();
}

// --- Fates.

bool Transaction::must_stop() const {
  const auto is = [](Standing wanted) {
    return [wanted](const Line& line) { return line.standing == wanted; };
  };
  const bool some_settled = std::any_of(lines_.begin(), lines_.end(), is(Standing::settled));
  const bool some_left = !std::all_of(lines_.begin(), lines_.end(), is(Standing::settled));
  return !some_left || (delivery_.all_or_nothing && some_settled);
}

void Transaction::settle(std::size_t index, const base::Error& error) {
  lines_[index].standing = Standing::settled;
  fates_[index].state = state_of(error);
  fates_[index].error = error;
  if (fates_[index].error.account.empty()) fates_[index].error.account = delivery_.account->name;
}

void Transaction::settle_rest(const base::Error& error) {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].standing != Standing::settled) settle(i, error);
  }
}

base::Error Transaction::held_back() const {
  // Of several, one that is refused: waiting does not help it.
  std::size_t culprit = lines_.size();
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].standing != Standing::settled) continue;
    const bool is_refused = fates_[i].state == base::Fate::State::refused;
    if (culprit == lines_.size() || is_refused) culprit = i;
    if (is_refused) break;
  }
  if (culprit == lines_.size()) {
    return base::failure(base::Fault::unavailable, "not sent", "try again");
  }
  std::string cure = fates_[culprit].error.cure;
  if (fates_[culprit].state == base::Fate::State::deferred) cure = "try again";
  if (fates_[culprit].state == base::Fate::State::refused) {
    cure = "correct it or send again without it";
  }
  return base::failure(
      base::Fault::unavailable,
      base::clean(lines_[culprit].address, 128) + " was not taken, so nothing was sent", cure);
}

bool Transaction::give_up(const base::Error& error) {
  settle_rest(error);
  return false;
}

bool Transaction::abandon(const base::Error& error) {
  settle_rest(error);
  dialogue_.hang_up();
  return false;
}

}  // namespace transport
