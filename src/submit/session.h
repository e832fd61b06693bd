// session: the ESMTP server side of every entrance, as a machine without input or output: bytes in,
// replies out, and now and then a submission that waits for its verdict. The handover (a Unix
// socket, our own front end) has BDAT and X-MAILBEARER; standard input (-bs) has DATA; the network
// has DATA, STARTTLS and AUTH, and hears no second word of what does not speak SMTP. Source: RFC
// 5321, 1870 (SIZE), 2920 (PIPELINING), 3030 (CHUNKING), 3461 (DSN), 6152, 6531; design section 2
// (X-MAILBEARER 1, ` x=<exit code>`); interface facts 3.12. A message is taken for all its
// recipients or not at all. Limits: command line 8 KiB, 100,000 recipients, 100 errors a session
// (-bs: 20). What ends inside the data commits nothing. Trusts: nothing; the peer is named by the
// caller, from the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "mail/read.h"
#include "mail/submission.h"
#include "submit/command.h"
#include "submit/dots.h"

namespace submit {

enum class Entrance : std::uint8_t { handover, standard_input, network };

struct SessionRules {
  Entrance entrance = Entrance::handover;
  std::string host_name = "localhost";
  std::uint64_t size_limit_bytes = 0;  // 0: none
  std::int64_t idle_ms = 600'000;      // for the next command, and for each piece of data
  mail::Peer peer{};
  bool takes_files = false;  // X-FILE: of our own front end, over a socket pair
  bool verifies = false;     // X-VERIFY: who takes our submissions heeds Submission::verify
  std::string peer_login{};  // MAIL FROM of this name alone is no chosen sender
  // Of a peer over the network (RFC 3207, RFC 4954): whether TLS can be had and is there, and
  // whether nothing is taken before `admit` has found name and password right.
  bool offers_tls = false;
  bool wants_auth = false;
  std::function<bool(const std::string& name, const base::Secret& password)> admit{};
  // base::from_base64, brought by who links it: the front end, which has no AUTH, does not.
  std::function<base::Result<std::string>(std::string_view text)> from_base64{};
};

// What the agent says to one message. exit 0: taken; the text is what follows the enhanced status
// code.
struct Verdict {
  int exit = 0;
  std::string text{};
  bool may_help_to_repeat = false;  // 451 rather than 554
};

// What the front end asks for beside the message.
struct Wishes {
  bool trace = false;  // X-TRACE: the dialogue, for -v
  bool wait = false;   // X-WAIT: for the provider's verdict, whatever `delivery` says
};

class Session {
 public:
  // `rules` must outlive it. `take_file` yields the file that came with the last bytes.
  explicit Session(const SessionRules& rules, std::function<base::Fd()> take_file = {});

  // What has come in. While a submission waits it is kept, and understood after the verdict.
  void hear(std::string_view bytes);
  bool has_replies() const { return !replies_.empty(); }
  std::string take_replies() { return std::exchange(replies_, {}); }

  // A whole message waits for its verdict: take it, then answer() once.
  bool waits() const { return waits_; }
  bool taken() const { return taken_; }  // and is being judged
  mail::Submission take_submission();
  Wishes wishes() const { return {own_.trace, own_.wait}; }
  // A line of the dialogue for -v: a preliminary reply (150).
  void trace(std::string_view line);
  // The peer has said QUIT behind the message, as far as has been heard.
  bool leaving() const;
  // Nothing that was heard is left to understand.
  bool heard_all() const { return input_.empty(); }
  void answer(const Verdict& verdict);

  // Between two messages: an idle session may be closed without loss.
  bool idle() const { return !waits_ && state_ == State::command && !mail_given_; }
  bool ended() const { return ended_; }
  // What its recipients cost in memory, about.
  std::size_t envelope_bytes() const { return envelope_bytes_; }
  bool inside_data() const { return state_ == State::chunk || state_ == State::content; }
  // STARTTLS was answered: what comes next is a handshake, and then a session that has heard
  // nothing yet (RFC 3207 4.2).
  bool wants_tls() const { return wants_tls_; }
  void tls_is_there();
  bool said_quit() const { return said_quit_; }

 private:
  enum class State : std::uint8_t { command, chunk, content, plain, login_name, login_password };

  bool front_end() const { return rules_.entrance == Entrance::handover; }
  void reply(const std::string& line) { replies_ += line + "\r\n"; }
  void refuse(const std::string& code, const std::string& text, int exit);
  void forget();
  std::size_t understand(std::string_view bytes);
  std::size_t take_line(std::string_view bytes);
  std::size_t take_piece(std::string_view bytes);
  std::size_t take_content(std::string_view bytes);
  void keep(std::string_view piece);
  void obey(const std::string& line);
  void obey_other(const std::string& verb);
  void greet(bool extended);
  void take_sender(const std::string& rest);
  void take_recipient(const std::string& rest);
  std::string recipient_refusal(const std::string& rest, mail::Recipient& recipient) const;
  std::string data_refusal() const;
  bool obey_network(const Command& command);
  void start_tls();
  void begin_auth(const std::string& rest);
  void take_auth(const std::string& line);
  void take_plain(std::string_view response);
  void admit(const std::string& name, const base::Secret& password);
  void begin_chunk(const std::string& rest);
  void begin_content(const std::string& rest);
  void begin_data(std::string refusal);
  void take_file();
  void end_data();
  void finish(base::Scratch bytes, const base::Done& taken, bool too_big);

  const SessionRules& rules_;
  std::function<base::Fd()> file_;
  std::string input_;
  std::string replies_;
  State state_ = State::command;
  bool crlf_ = false;  // how the first command line ended
  bool any_line_ = false;
  bool waits_ = false;
  bool taken_ = false;
  bool ended_ = false;
  bool said_quit_ = false;
  bool tls_ = false;
  bool wants_tls_ = false;
  bool signed_in_ = false;
  std::string auth_name_{};
  int errors_ = 0;

  mail::Submission submission_{};
  Private own_{};
  bool mail_given_ = false;
  bool recipient_refused_ = false;
  std::size_t envelope_bytes_ = 0;

  // The data being received.
  struct Data {
    Data();  // clang wants it declared: the initialisers count only after Session's end
    base::Scratch bytes{};
    mail::LineEnds normal{bytes};
    base::Done taken = base::done();
    std::string refusal{};  // it is heard and dropped, then refused with this
    std::uint64_t heard = 0;
    std::uint64_t left = 0;  // of the chunk
    Dots dots{Dots::Ends::crlf};
  };
  std::optional<Data> data_{};
};

}  // namespace submit
