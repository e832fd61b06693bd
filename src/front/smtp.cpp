#include "front/smtp.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "cli/environment.h"
#include "front/hand_in.h"
#include "net/stream.h"
#include "report/exit_code.h"
#include "report/tell.h"
#include "submit/serve.h"

namespace front {

namespace {

constexpr std::int64_t patience_ms =
    30LL * 24 * 60 * 60 * 1000;           // a caller that waits costs little
constexpr std::size_t reply_limit = 480;  // RFC 5321 4.5.3.1.5: 512 octets, code and CRLF with them
constexpr int no_smtp = 76;

// Standard input and output as they are: they may be a terminal, or shared with others, and stay in
// the mode in which they came.
class Standard : public net::Stream {
 public:
  base::Result<std::size_t> read(char* into, std::size_t count, base::Deadline deadline) override {
    for (;;) {
      const ssize_t got = ::read(STDIN_FILENO, into, count);
      if (got >= 0) return static_cast<std::size_t>(got);
      base::Done ready = go_on(STDIN_FILENO, POLLIN, deadline);
      if (!ready) return std::move(ready).error();
    }
  }

  base::Result<bool> has_input() override {
    pollfd one{STDIN_FILENO, POLLIN, 0};
    return poll(&one, 1, 0) > 0;
  }

  base::Done write(std::string_view bytes, base::Deadline deadline) override {
    while (!bytes.empty()) {
      const ssize_t sent = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
        continue;
      }
      base::Done ready = go_on(STDOUT_FILENO, POLLOUT, deadline);
      if (!ready) return ready;
    }
    return base::done();
  }

 private:
  // After a call that failed: whether it is worth another.
  static base::Done go_on(int fd, short what, base::Deadline deadline) {
    if (errno == EINTR) return base::done();
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      return base::failure_errno(base::Fault::io, "standard input or output is broken", errno);
    }
    pollfd one{fd, what, 0};
    if (poll(&one, 1, deadline.left_ms()) == 0 && deadline.passed()) {
      return base::failure(base::Fault::unavailable, "timed out");
    }
    return base::done();
  }
};

// 451 where to say the same again later may help, and never where it may deliver twice.
submit::Verdict verdict_of(const submit::Outcome& outcome) {
  submit::Verdict verdict;
  verdict.exit = outcome.exit;
  verdict.text = base::clean(outcome.text, reply_limit);
  verdict.may_help_to_repeat =
      outcome.may_help_to_repeat && !outcome.text.starts_with("outcome unknown");
  return verdict;
}

submit::Verdict verdict_of(const base::Error& error) {
  submit::Outcome outcome{report::exit_code(error.fault), report::tell(error), false};
  outcome.may_help_to_repeat = error.kind != base::FaultClass::permanent;
  return verdict_of(outcome);
}

submit::Verdict take(mail::Submission submission, const cli::Person& person) {
  std::optional<mail::Mailbox> sender;
  if (submission.envelope.sender_given) sender = submission.envelope.sender;
  submit::Handover handover;
  handover.header_changed = add_from(submission.message, person, sender, std::nullopt);
  handover.submission = &submission;
  const base::Result<submit::Outcome> outcome = hand_in(handover, person);
  return outcome ? verdict_of(*outcome) : verdict_of(outcome.error());
}

// R12: not even an agent of ours that is killed or out of memory may be heard there: alpine would
// read it as a reply.
void close_standard_error() {
  const base::Fd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (nowhere.open()) (void)dup2(nowhere.get(), STDERR_FILENO);
}

}  // namespace

int speak_smtp(bool beside_mail) {
  close_standard_error();
  const cli::Person person = cli::person_of(getuid());
  submit::SessionRules rules;
  rules.entrance = submit::Entrance::standard_input;
  rules.idle_ms = patience_ms;
  rules.peer.uid = person.uid;
  rules.peer_login = person.login;
  bool any_taken = false;
  Standard stream;
  const base::Done served = submit::serve(
      stream, rules, [&](mail::Submission submission, const base::Trace& /*trace*/, bool) {
        submit::Verdict verdict = take(std::move(submission), person);
        any_taken = any_taken || verdict.exit == 0;
        return verdict;
      });
  if (served.ok() || any_taken) return 0;
  return beside_mail ? no_smtp : 0;
}

}  // namespace front
