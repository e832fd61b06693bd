// smtp: the dialogue with one server, from the connection to a secured session that knows what the
// server offers. Source: RFC 5321, RFC 3207 (nothing learnt or read before TLS is kept), RFC 2920.
// Owns: the connection. Units: milliseconds. Limits: those of smtp_reply; a deadline for every
// phase and one for the attempt, on a clock that nobody sets. Errors: Fault::unavailable (lost,
// late), Fault::protocol (garbage, or words that nobody asked for), and the table of replies.
// Trusts: nothing that the server says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "account/account.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/trace.h"
#include "net/stream.h"
#include "transport/smtp_reply.h"

namespace transport {

// How long each phase may take as a whole. RFC 5321 4.5.3.2 asks relays for minutes at every step;
// here a program or a person waits, and submission servers answer at once or after a tarpit of
// seconds, so the steps get twice the account's timeout (60 s). Where giving up early makes
// duplicates, at the end of the data, the RFC's ten minutes stay.
struct Phases {
  std::int64_t connect_ms = 30'000;
  std::int64_t reply_ms = 60'000;
  std::int64_t piece_ms = 180'000;  // one write of the content
  std::int64_t end_ms = 600'000;
  std::int64_t quit_ms = 1'000;
  std::int64_t attempt_ms = 900'000;
  // Multiples of the timeout; the attempt also gets the time that the bytes take at 32 KiB a
  // second.
  static Phases scaled(std::int64_t timeout_s, std::uint64_t message_bytes);
};

enum class Stage : std::uint8_t { banner, ehlo, starttls, auth, mail, rcpt, data, content, end };

// How a dialogue gets its streams; tests put scripted servers here.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual base::Result<std::unique_ptr<net::Stream>> connect(std::int64_t timeout_ms) = 0;
  // From the server's first address on; and whether connect() would now call one that it has not
  // called since.
  virtual void start_over() {}
  virtual bool another() const { return false; }
  // The same connection inside TLS.
  virtual base::Result<std::unique_ptr<net::Stream>> secure(std::unique_ptr<net::Stream> plain,
                                                            base::Deadline deadline) = 0;
};

struct Capabilities {
  bool starttls = false;
  bool pipelining = false;
  bool chunking = false;
  bool eight_bit = false;
  bool smtputf8 = false;
  bool dsn = false;
  bool size = false;
  std::uint64_t size_limit = 0;  // 0: none named
  bool auth = false;
  std::vector<std::string> mechanisms{};  // upper case
};
Capabilities parse_capabilities(const Reply& ehlo);

class Dialogue {
 public:
  Dialogue(const account::Account& account, const Phases& phases, base::Trace trace);

  // Connects, greets and secures as the account says; what is offered is known afterwards.
  base::Done open(Wire& wire);
  const Capabilities& offers() const { return offers_; }
  bool encrypted() const { return stream_ && stream_->encrypted(); }

  // Another message on this connection: account, deadlines and trace are those of its delivery.
  void begin(const account::Account& account, const Phases& phases, base::Trace trace);
  // Between two messages: nothing of a delivery is referred to any more.
  void rest();
  bool reused() const { return messages_ > 0; }
  int messages() const { return messages_; }
  std::int64_t age_ms() const { return base::boot_ms() - opened_ms_; }
  bool open_still() const { return stream_ != nullptr; }
  // Whether the server has neither said anything nor ended the connection.
  bool silent();
  // A transaction was broken off: RSET goes ahead of the next one.
  void set_needs_reset(bool needed) { needs_reset_ = needed; }
  bool needs_reset() const { return needs_reset_; }

  // One write, unless the server has something to say first: no command of ours has asked for that
  // (send_ahead: earlier ones have). `shown` is what a trace may see of it, line by line. An error
  // of the write at Stage::end is Fault::outcome_unknown: the end of the message may have left.
  base::Done send(std::string_view bytes, Stage stage, std::string_view shown);
  base::Done send(std::string_view bytes, Stage stage) { return send(bytes, stage, bytes); }
  base::Done send_ahead(std::string_view bytes, Stage stage, std::string_view shown);
  base::Result<Reply> reply(Stage stage);
  // Whether more has come in than a farewell: then the replies read so far may have been those to
  // other commands (P8).
  bool says_more();
  // Notes what the server has had of us so far. had_nothing_since(): it closed the connection
  // before any octet reached it afterwards (a FIN acknowledges what had come), so whatever was sent
  // since is lost for certain. False where that cannot be told, as behind a reset.
  // While the end of a message is on its way before its envelope is answered, giving up early would
  // make duplicates at each of the replies.
  void set_content_in_air(bool in_air) { content_in_air_ = in_air; }
  void mark_sent() { marked_ = stream_ ? stream_->progress() : std::nullopt; }
  bool had_nothing_since() const;
  // Whether a reply has begun to come in.
  base::Result<bool> replying() { return reader_.has_input(); }
  // Sends one command and reads its one reply.
  base::Result<Reply> ask(std::string_view command, Stage stage);

  base::Error judged(const Reply& reply, Stage stage, std::string_view recipient = {}) const;
  void set_sender(std::string sender) { sender_ = std::move(sender); }
  std::string server() const;  // "smtp.example:587"
  // From now on the server's words are shown without it, however they quote it.
  void conceal(const base::Secret& secret) { blot_.watch(secret); }
  void conceal_base64(const base::Secret& encoded) { blot_.watch_as_it_is(encoded); }
  std::string concealed(std::string text) const;

  void quit();     // says QUIT and does not wait for the answer
  void hang_up();  // ends the connection without a word

 private:
  base::Done connect(Wire& wire);
  base::Done reach(Wire& wire);
  base::Done adopt(base::Result<std::unique_ptr<net::Stream>> made);
  base::Done greeting();
  base::Done hello();
  base::Done start_tls(Wire& wire);
  base::Done secure(Wire& wire);
  std::string greeting_name() const;
  base::Deadline within(std::int64_t ms) const;
  std::int64_t patience_ms(Stage stage) const;
  base::Error explained(const base::Error& error, Stage stage) const;
  base::Error out_of_turn(Stage stage) const;
  base::Error unasked(Stage stage);
  base::Error last_words(base::Error error, Stage stage);
  void trace_sent(std::string_view shown) const;

  base::Done put(std::string_view bytes, Stage stage, std::string_view shown, bool asked);

  const account::Account* account_;
  Phases phases_;
  base::Trace trace_;
  base::Deadline attempt_;
  std::unique_ptr<net::Stream> stream_;
  net::LineReader reader_;
  Capabilities offers_;
  std::string sender_;
  Blot blot_;
  std::optional<net::TcpProgress> marked_;
  std::int64_t opened_ms_ = base::boot_ms();
  int messages_ = 0;
  bool needs_reset_ = false;
  bool content_in_air_ = false;
};

}  // namespace transport
