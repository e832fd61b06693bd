#include "submit/hand_over.h"

#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace submit {

using base::Deadline;
using base::Done;
using base::done;

namespace {

constexpr std::size_t line_limit = 16 * 1024;
constexpr std::int64_t greeting_ms = 10'000;  // design: waits up to 10 s
constexpr std::int64_t talk_ms = 60'000;
constexpr std::size_t flight_recipients = 100;  // replies of a flight must fit a socket's buffer
constexpr std::string_view quit = "QUIT\r\n";
constexpr int agent_gone = 69;
constexpr int agent_broken = 76;
constexpr int own_file_failed = 74;
constexpr int no_resources = 71;

struct Reply {
  std::string code{};
  std::string text{};  // of the last line
};

class Dialogue {
 public:
  Dialogue(net::Stream& agent, const Handover& handover)
      : agent_(agent), handover_(handover), replies_(agent, line_limit) {}

  Outcome run() {
    Done spoken = greet();
    if (spoken) spoken = send_envelope();
    if (spoken && !refusal_.exit) spoken = send_message();
    if (refusal_.exit) return refusal_;
    if (!spoken) return failed(spoken.error());
    return refusal_;
  }

 private:
  Outcome failed(const base::Error& error) const {
    if (error.fault == base::Fault::io) {  // our own temporary file, not the agent
      return {own_file_failed, "not sent: " + error.cause + "; see that the disk is sound", true};
    }
    if (committed_) {
      return {agent_gone,
              "outcome unknown, may have been delivered: the mailbearer agent ended without a "
              "verdict; look "
              "into the Sent folder before sending again",
              false};
    }
    if (handover_.one_shot) {
      return {no_resources,
              "not sent: mailbearer-agent ended before it could answer (" + error.cause +
                  "); see that memory, processes and descriptors are left, and try again",
              true};
    }
    return {error.fault == base::Fault::protocol ? agent_broken : agent_gone,
            "not sent: the mailbearer agent does not answer (" + error.cause +
                "); try again, and see: systemctl status mailbearer",
            true};
  }

  // One reply; 150 lines before it are trace. The text keeps nothing of "x=NN" but the number, in
  // exit_.
  base::Result<Reply> read_reply(Deadline deadline) {
    for (;;) {
      base::Result<std::string> line = replies_.line(deadline);
      if (!line) return std::move(line).error();
      if (line->size() < 3 || !base::is_digit((*line)[0])) {
        return base::failure(base::Fault::protocol, "the agent does not speak SMTP");
      }
      const std::string code = line->substr(0, 3);
      const std::string text = line->size() > 4 ? line->substr(4) : "";
      if (code == "150") {
        base::tell(handover_.trace, text);
        continue;
      }
      if (text == "X-FILE") takes_files_ = true;
      if (line->size() > 3 && (*line)[3] == '-') continue;
      return Reply{code, text};
    }
  }

  static bool positive(const Reply& reply) { return reply.code[0] == '2'; }

  // "5.7.1 not sent (a): … x=77" to the sentence and the code.
  static Outcome verdict(const Reply& reply) {
    Outcome outcome{agent_broken, reply.text, reply.code[0] == '4'};
    const std::size_t mark = outcome.text.rfind(" x=");
    if (mark != std::string::npos) {
      std::int64_t exit = 0;
      if (base::parse_number(outcome.text.substr(mark + 3), 0, 78, exit))
        outcome.exit = static_cast<int>(exit);
      outcome.text.erase(mark);
    }
    if (!outcome.text.empty() && base::is_digit(outcome.text[0])) {
      outcome.text.erase(0, outcome.text.find(' ') + 1);
    }
    if (!outcome.text.starts_with("not sent") && !outcome.text.starts_with("outcome unknown")) {
      outcome.text.insert(0, "not sent: ");
    }
    // A refusal that forgot its code must not look like success.
    if (outcome.exit == 0) outcome.exit = agent_broken;
    return outcome;
  }

  Done expect_positive(Deadline deadline) {
    base::Result<Reply> reply = read_reply(deadline);
    if (!reply) return std::move(reply).error();
    if (!positive(*reply) && !refusal_.exit) refusal_ = verdict(*reply);
    return done();
  }

  Done greet() {
    Done greeted = expect_positive(Deadline::after_ms(greeting_ms));
    if (!greeted || refusal_.exit) return greeted;
    Done sent = agent_.write("EHLO localhost\r\n", Deadline::after_ms(talk_ms));
    if (!sent) return sent;
    return expect_positive(Deadline::after_ms(talk_ms));
  }

  std::string mail_command() const {
    const mail::Submission& submission = *handover_.submission;
    const mail::Envelope& envelope = submission.envelope;
    std::string line = "MAIL FROM:<" + envelope.sender.text() + ">";
    line += " X-ID=" + submission.id;
    if (!submission.asked_account.empty()) {
      line += " X-ACCOUNT=" + mail::to_xtext(submission.asked_account);
    }
    if (handover_.verify) line += " X-VERIFY";
    if (handover_.wait) line += " X-WAIT";
    if (handover_.trace && !handover_.verify) line += " X-TRACE";
    if (envelope.body == mail::Body::eight_bit) line += " BODY=8BITMIME";
    if (envelope.body == mail::Body::seven_bit) line += " BODY=7BIT";
    if (!envelope.ret.empty()) line += " RET=" + envelope.ret;
    if (!envelope.envid.empty()) line += " ENVID=" + envelope.envid;
    return line + "\r\n";
  }

  static std::string rcpt_command(const mail::Recipient& recipient) {
    std::string line = "RCPT TO:<" + recipient.mailbox.text() + ">";
    if (!recipient.notify.empty()) line += " NOTIFY=" + recipient.notify;
    if (!recipient.orcpt.empty()) line += " ORCPT=" + recipient.orcpt;
    return line + "\r\n";
  }

  // MAIL and all RCPT but the last flight of them, whose replies are read behind the data.
  Done send_envelope() {
    flight_ = mail_command();
    waiting_ = 1;
    std::size_t in_flight = 0;
    for (const mail::Recipient& recipient : handover_.submission->envelope.recipients) {
      if (in_flight == flight_recipients) {
        Done read = send_flight();
        if (!read || refusal_.exit) return read;
        in_flight = 0;
      }
      flight_ += rcpt_command(recipient);
      ++waiting_;
      ++in_flight;
    }
    return done();
  }

  Done send_flight() {
    Done sent = agent_.write(flight_, Deadline::after_ms(talk_ms));
    flight_.clear();
    for (; sent && waiting_ > 0; --waiting_) sent = expect_positive(Deadline::after_ms(talk_ms));
    return sent;
  }

  Done send_message() {
    const mail::Message& message = handover_.submission->message;
    std::string header;
    std::uint64_t from = 0;
    if (handover_.header_changed) {
      header = message.header.text() + "\r\n";
      from = message.body_offset;
    }
    // What lies in a file already need not be copied: its descriptor goes instead.
    if (takes_files_ && !handover_.header_changed && message.bytes.in_file()) {
      return hear_verdict(send_file(message));
    }
    const std::uint64_t size = header.size() + message.bytes.size_bytes() - from;
    flight_ += "BDAT " + std::to_string(size) + " LAST\r\n" + header;
    // A message that lies in memory leaves with the envelope in one write, and QUIT with it:
    // nothing comes behind it, which tells the agent that the connection need not be kept.
    std::uint64_t left = message.bytes.size_bytes() - from;
    Done sent = message.bytes.each_piece(from, [this, &left](std::string_view piece) -> Done {
      flight_ += piece;
      left -= piece.size();
      if (left == 0) flight_ += quit;
      Done written = agent_.write(flight_, Deadline::after_ms(talk_ms));
      flight_.clear();
      return written;
    });
    if (sent && !flight_.empty()) {
      flight_ += quit;
      sent = agent_.write(flight_, Deadline::after_ms(talk_ms));
    }
    return hear_verdict(std::move(sent));
  }

  Done send_file(const mail::Message& message) {
    base::Result<int> file = message.bytes.lend_fd();
    if (!file) return std::move(file).error();
    flight_ += "BDAT 0 LAST X-FILE\r\n";
    flight_ += quit;
    return agent_.write_with_file(flight_, *file, Deadline::after_ms(talk_ms));
  }

  Done hear_verdict(Done sent) {
    // From here on the agent may hold all of it: only a reply can say what became of it.
    if (sent) committed_ = true;
    // An agent that hung up may have said why before.
    Done heard = done();
    for (; heard && waiting_ > 0; --waiting_) heard = expect_positive(Deadline::never());
    if (!sent || refusal_.exit) return sent;
    if (!heard) return heard;
    // The agent bounds every step of a delivery; we wait for its verdict as long as it lives.
    return expect_positive(Deadline::never());
  }

  net::Stream& agent_;
  const Handover& handover_;
  net::LineReader replies_;
  std::string flight_;
  std::size_t waiting_ = 0;
  bool committed_ = false;
  bool takes_files_ = false;
  Outcome refusal_;
};

}  // namespace

Outcome hand_over(net::Stream& agent, const Handover& handover) {
  return Dialogue(agent, handover).run();
}

}  // namespace submit
