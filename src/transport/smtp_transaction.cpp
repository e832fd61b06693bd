#include "transport/smtp_transaction.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/text.h"

namespace transport {

namespace {

// RFC 2920 3.1: what is sent ahead must fit the windows of both sides while nobody reads.
constexpr std::size_t flight_octets = std::size_t{32} * 1024;

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

bool is_closed(const base::Error& error) {
  return error.sys == ECONNRESET || error.sys == EPIPE;
}

bool is_farewell(const base::Error& error) {
  return error.said.starts_with("421");
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

Transaction::Transaction(Dialogue& dialogue, const Delivery& delivery, Share share, Manner manner)
    : dialogue_(dialogue),
      delivery_(delivery),
      message_(*delivery.message),
      share_(share),
      manner_(manner) {
  for (std::size_t i = share.first; i < share.first + share.count; ++i) {
    const mail::Recipient& one = message_.envelope.recipients[i];
    Line line;
    line.address = one.mailbox.text();
    lines_.push_back(std::move(line));
    fates_.push_back(fate_of(one, base::failure(base::Fault::unavailable, "not sent")));
  }
}

std::vector<base::Fate> Transaction::run() {
  dialogue_.set_sender(message_.envelope.sender.text());
  // Where commands may be sent ahead, the farewell goes with the last of them.
  quits_ = manner_.last && dialogue_.offers().pipelining;
  base::Done written = write_commands();
  if (!written) {
    settle_rest(written.error());
  } else if (must_stop()) {
    // Nobody could be written to.
  } else if (fits_one_flight()) {
    all_in_one_flight();
  } else if (dialogue_.offers().pipelining ? in_flights() : step_by_step()) {
    content();
  }
  if (must_stop()) settle_rest(held_back());
  if (manner_.last) dialogue_.quit();
  return std::move(fates_);
}

base::Done Transaction::write_commands() {
  base::Result<Commands> commands = adapt(delivery_, dialogue_.offers());
  if (!commands) return std::move(commands).error();
  mail_command_ = commands->mail;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    base::Result<std::string>& one = commands->rcpt[share_.first + i];
    if (one) {
      lines_[i].command = std::move(*one);
    } else {
      settle(i, one.error());
    }
  }
  return base::done();
}

bool Transaction::by_chunks() const {
  return manner_.chunks && dialogue_.offers().chunking && delivery_.account->chunking;
}

// With several recipients the content waits until it is known whether all are taken.
bool Transaction::fits_one_flight() const {
  return by_chunks() && dialogue_.offers().pipelining && lines_.size() == 1 &&
         !dialogue_.needs_reset() &&
         message_.size_bytes() + mail_command_.size() + lines_[0].command.size() < flight_octets;
}

// --- The envelope.

std::string Transaction::opening() const {
  return (dialogue_.needs_reset() ? "RSET\r\n" : "") + mail_command_;
}

bool Transaction::in_flights() {
  std::string flight = opening();
  bool opened = false;
  std::size_t unanswered = 0;  // the first recipient whose answer is outstanding
  for (std::size_t i = 0; i <= lines_.size(); ++i) {
    const bool last = i == lines_.size();
    if (!last) flight += lines_[i].command;
    if (last && !by_chunks()) flight += "DATA\r\n";
    if (flight.empty() || (!last && flight.size() < flight_octets)) continue;
    base::Done sent = dialogue_.send(flight, last && !by_chunks() ? Stage::data : Stage::rcpt);
    if (!sent) return lost(sent.error());
    flight.clear();
    if (!std::exchange(opened, true) && !(read_reset_reply() && read_mail_reply())) return false;
    for (; unanswered < std::min(i + 1, lines_.size()); ++unanswered) {
      Line& line = lines_[unanswered];
      if (!line.command.empty() && !read_rcpt_reply(line)) return false;
    }
  }
  if (by_chunks()) return !must_stop();
  base::Result<Reply> answer = dialogue_.reply(Stage::data);
  if (!answer) return lost(answer.error());
  return data_answered(*answer);
}

bool Transaction::step_by_step() {
  if (dialogue_.needs_reset()) {
    base::Done sent = dialogue_.send("RSET\r\n", Stage::mail);
    if (!sent) return lost(sent.error());
    if (!read_reset_reply()) return false;
  }
  base::Done sent = dialogue_.send(mail_command_, Stage::mail);
  if (!sent) return lost(sent.error());
  if (!read_mail_reply()) return false;
  for (Line& line : lines_) {
    if (line.command.empty()) continue;
    sent = dialogue_.send(line.command, Stage::rcpt);
    if (!sent) return lost(sent.error());
    if (!read_rcpt_reply(line)) return false;
    if (delivery_.all_or_nothing && must_stop()) return false;
  }
  if (must_stop()) return false;
  if (by_chunks()) return true;
  base::Result<Reply> answer = dialogue_.ask("DATA\r\n", Stage::data);
  if (!answer) return lost(answer.error());
  return data_answered(*answer);
}

// What an earlier transaction left is gone, or the connection is of no more use.
bool Transaction::read_reset_reply() {
  if (!dialogue_.needs_reset()) return true;
  base::Result<Reply> answer = dialogue_.reply(Stage::mail);
  if (!answer) return lost(answer.error());
  if (!answer->positive()) {
    stale_ = true;
    return abandon(dialogue_.judged(*answer, Stage::mail));
  }
  dialogue_.set_needs_reset(false);
  return true;
}

bool Transaction::read_mail_reply() {
  base::Result<Reply> answer = dialogue_.reply(Stage::mail);
  if (!answer) return lost(answer.error());
  if (answer->code == 421) return lost(dialogue_.judged(*answer, Stage::mail));
  heard_ = true;
  dialogue_.set_needs_reset(true);
  if (answer->positive()) return true;
  const base::Error judged = dialogue_.judged(*answer, Stage::mail);
  if (answer->more_wanted()) return lost(judged);
  if (!dialogue_.offers().pipelining) return give_up(judged);
  // What was sent ahead is void, and a server may take its time to refuse each command of it.
  return abandon(judged);
}

bool Transaction::read_rcpt_reply(Line& line) {
  base::Result<Reply> answer = dialogue_.reply(Stage::rcpt);
  if (!answer) return lost(answer.error());
  if (answer->positive()) {
    line.standing = Standing::accepted;
    return true;
  }
  const base::Error judged = dialogue_.judged(*answer, Stage::rcpt, line.address);
  // The server goes, or makes no sense: nothing more is to be learnt from it.
  if (answer->code == 421 || answer->more_wanted()) return lost(judged);
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

// The connection ended, or the server takes its leave. Unheard, on a connection that served before,
// that says nothing of this message, as long as its content has not left.
bool Transaction::lost(const base::Error& error) {
  const bool over = is_closed(error) || is_farewell(error);
  // A server that had closed already has nothing of it.
  const bool arrived = content_in_air_ && !is_farewell(error) && !dialogue_.had_nothing_since();
  stale_ = over && !heard_ && dialogue_.reused() && !arrived;
  if (arrived) {
    outcome_unknown(error);
    return false;
  }
  return abandon(error);
}

}  // namespace transport
