#include "submit/serve.h"

#include <sys/socket.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

#include "catch.h"
#include "submit/hand_over.h"

namespace {

struct Pair {
  base::Fd left;
  base::Fd right;
};

Pair make_pair_of_sockets() {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

struct Seen {
  int messages = 0;
  mail::Envelope envelope;
  std::string text;
  std::string account;
  std::string id;
};

// Feeds raw client bytes to a session and returns everything it answered.
std::string talk(const std::string& client, Seen& seen, submit::Verdict verdict = {},
                 submit::SessionRules rules = {}) {
  Pair sockets = make_pair_of_sockets();
  rules.peer_login = "alice";
  std::thread server([&] {
    net::FdStream stream(std::move(sockets.right));
    (void)submit::serve(stream, rules,
                        [&](mail::Submission submission, const base::Trace& trace, bool) {
                          ++seen.messages;
                          base::tell(trace, "EHLO there");
                          seen.envelope = submission.envelope;
                          seen.account = submission.asked_account;
                          seen.id = submission.id;
                          seen.text = *submission.message.bytes.all(1 << 20);
                          return verdict;
                        })
        .ok();
  });
  net::FdStream stream(std::move(sockets.left));
  REQUIRE(stream.write(client, base::Deadline::after_ms(5000)).ok());
  shutdown(stream.fd(), SHUT_WR);
  std::string answers;
  std::array<char, 4096> buffer{};
  for (;;) {
    base::Result<std::size_t> got =
        stream.read(buffer.data(), buffer.size(), base::Deadline::after_ms(5000));
    if (!got || *got == 0) break;
    answers.append(buffer.data(), *got);
  }
  server.join();
  return answers;
}

// Hears the greeting, says a line and is gone.
class FrontEndThatGoes : public net::Stream {
 public:
  explicit FrontEndThatGoes(std::string said) : said_(std::move(said)) {}
  base::Result<std::size_t> read(char* into, std::size_t count, base::Deadline) override {
    const std::size_t taken = said_.copy(into, count);
    said_.erase(0, taken);
    return taken;
  }
  base::Result<bool> has_input() override { return true; }
  base::Done write(std::string_view bytes, base::Deadline) override {
    if (bytes.substr(0, 3) == "220") return base::done();
    return base::failure(base::Fault::unavailable, "connection closed");
  }

 private:
  std::string said_;
};

constexpr const char* start =
    "EHLO localhost\r\nMAIL FROM:<s@x> X-ID=0123456789abcdef0123456789abcdef\r\n";

}  // namespace

TEST_CASE("session: one pipelined handover, one message, one verdict with x=0", "[submit]") {
  Seen seen;
  const std::string answers = talk(
      std::string(start) + "RCPT TO:<r@y>\r\nBDAT 14 LAST\r\nSubject: a\r\n\r\nQUIT\r\n", seen);
  CHECK(seen.messages == 1);
  CHECK(seen.text == "Subject: a\r\n\r\n");
  CHECK(seen.envelope.sender.text() == "s@x");
  CHECK(seen.envelope.sender_given);
  REQUIRE(seen.envelope.recipients.size() == 1);
  CHECK(seen.id == "0123456789abcdef0123456789abcdef");
  CHECK(answers.find("250-X-MAILBEARER 1\r\n") != std::string::npos);
  CHECK(answers.find("250 2.0.0 Ok: queued as 0123456789abcdef0123456789abcdef x=0\r\n221 ") !=
        std::string::npos);
}

TEST_CASE("session: who says QUIT and goes has ended well; who only goes has not", "[submit]") {
  for (const std::string said : {"QUIT\r\n", "NOOP\r\n"}) {
    INFO(said);
    FrontEndThatGoes stream(said);
    const submit::SessionRules rules;
    const base::Done served =
        submit::serve(stream, rules,
                      [](mail::Submission, const base::Trace&, bool) { return submit::Verdict(); });
    CHECK(served.ok() == (said[0] == 'Q'));
  }
}

TEST_CASE("session: the end of the stream inside the data commits nothing (facts, finding 2)",
          "[submit]") {
  Seen seen;
  talk(std::string(start) + "RCPT TO:<r@y>\r\nBDAT 100 LAST\r\nSubject: a\r\n\r\n", seen);
  CHECK(seen.messages == 0);
}

TEST_CASE("session: a refused recipient stops the whole message", "[submit]") {
  Seen seen;
  const std::string answers =
      talk(std::string(start) + "RCPT TO:<r@y>\r\nRCPT TO:<a b@@>\r\nBDAT 4 LAST\r\na\r\nb", seen);
  CHECK(seen.messages == 0);
  CHECK(answers.find("553 5.1.3 not sent: ") != std::string::npos);
  CHECK(answers.find("503 5.5.1 a recipient was refused x=76") != std::string::npos);
}

TEST_CASE("session: control bytes in an address are 65 (A5)", "[submit]") {
  Seen seen;
  const std::string answers = talk(std::string(start) + "RCPT TO:<r\x01@y>\r\n", seen);
  CHECK(answers.find(" x=65") != std::string::npos);
}

TEST_CASE("session: the login name alone is no chosen sender", "[submit]") {
  Seen seen;
  talk("EHLO x\r\nMAIL FROM:<alice>\r\nRCPT TO:<r@y>\r\nBDAT 2 LAST\r\n\r\n", seen);
  REQUIRE(seen.messages == 1);
  CHECK_FALSE(seen.envelope.sender_given);
  talk("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<r@y>\r\nBDAT 2 LAST\r\n\r\n", seen);
  CHECK(seen.envelope.sender_given);
  CHECK(seen.envelope.sender.null());
}

TEST_CASE("session: bytes are made normal again, whatever the front end sent (A7)", "[submit]") {
  Seen seen;
  talk(std::string(start) + "RCPT TO:<r@y>\r\nBDAT 12 LAST\r\nA: b\rC: d\nx\n", seen);
  REQUIRE(seen.messages == 1);
  CHECK(seen.text.find("\rC") == std::string::npos);
  CHECK(seen.text.find("\nC: d") == std::string::npos);
}

TEST_CASE("session: unknown verbs, parameters and orders are answered, and the session goes on",
          "[submit]") {
  Seen seen;
  const std::string answers = talk(
      "NONSENSE\r\nRCPT TO:<a@b>\r\nBDAT 1 LAST\r\nxMAIL FROM:<a@b> NEW=1\r\nAUTH PLAIN "
      "x\r\nNOOP\r\n",
      seen);
  CHECK(answers.find("500 ") != std::string::npos);
  CHECK(answers.find("503 5.5.1 MAIL first x=76\r\n503 5.5.1 MAIL first") != std::string::npos);
  CHECK(answers.find("555 ") != std::string::npos);
  CHECK(answers.find("502 ") != std::string::npos);
  CHECK(answers.rfind("250 2.0.0 Ok\r\n") != std::string::npos);
  CHECK(seen.messages == 0);
}

TEST_CASE("session: a caller that only errs is let go", "[submit]") {
  Seen seen;
  std::string noise;
  for (int i = 0; i < 300; ++i) noise += "X\r\n";
  const std::string answers = talk(noise, seen);
  CHECK(answers.find("421 4.7.0") != std::string::npos);
}

namespace {
submit::Outcome hand(mail::Submission submission, submit::Verdict verdict, Seen& seen,
                     const base::Trace& trace = {}) {
  Pair sockets = make_pair_of_sockets();
  submit::SessionRules rules;
  std::thread server([&] {
    net::FdStream stream(std::move(sockets.right));
    (void)submit::serve(stream, rules, [&](mail::Submission taken, const base::Trace& sink, bool) {
      ++seen.messages;
      base::tell(sink, "> EHLO there");
      seen.envelope = taken.envelope;
      seen.account = taken.asked_account;
      seen.text = *taken.message.bytes.all(64 << 20);
      return verdict;
    }).ok();
  });
  net::FdStream stream(std::move(sockets.left));
  submit::Handover handover;
  handover.submission = &submission;
  handover.trace = trace;
  submit::Outcome outcome = submit::hand_over(stream, handover);
  stream.take_socket();
  server.join();
  return outcome;
}

mail::Submission sample(std::size_t recipients, std::size_t body_bytes) {
  mail::Submission submission;
  submission.id = std::string(32, 'a');
  submission.envelope.sender = mail::Mailbox{"s", "x"};
  for (std::size_t i = 0; i < recipients; ++i) {
    mail::Recipient recipient;
    recipient.mailbox = mail::Mailbox{"r" + std::to_string(i), "y"};
    submission.envelope.recipients.push_back(recipient);
  }
  base::Scratch bytes;
  REQUIRE(bytes.append("Subject: x\r\n\r\n" + std::string(body_bytes, 'b') + "\r\n").ok());
  submission.message = std::move(*mail::split(std::move(bytes)));
  return submission;
}
}  // namespace

TEST_CASE("hand_over: envelope, account and bytes arrive whole, thousands of recipients too",
          "[submit]") {
  Seen seen;
  mail::Submission submission = sample(5000, 300'000);
  submission.asked_account = "wo rk=1";
  const submit::Outcome outcome = hand(std::move(submission), {}, seen);
  CHECK(outcome.exit == 0);
  CHECK(seen.envelope.recipients.size() == 5000);
  CHECK(seen.account == "wo rk=1");
  CHECK(seen.text.size() == 300'000 + 16);
}

TEST_CASE("hand_over: the agent's sentence and exit code come back without their frame",
          "[submit]") {
  Seen seen;
  const submit::Outcome outcome =
      hand(sample(1, 1), {78, "not sent (work): sign-in expired; run: x", true}, seen);
  CHECK(outcome.exit == 78);
  CHECK(outcome.text == "not sent (work): sign-in expired; run: x");
}

TEST_CASE("hand_over: -v hears the dialogue line by line", "[submit]") {
  Seen seen;
  std::string heard;
  const submit::Outcome outcome =
      hand(sample(1, 1), {}, seen, [&heard](std::string_view line) { heard += line; });
  CHECK(outcome.exit == 0);
  CHECK(heard == "> EHLO there");
}

TEST_CASE("hand_over: an agent that dies after the data leaves the outcome unknown: 69",
          "[submit]") {
  Pair sockets = make_pair_of_sockets();
  std::thread server([&] {
    net::FdStream stream(std::move(sockets.right));
    (void)stream.write("220 x\r\n", base::Deadline::after_ms(1000)).ok();
    net::LineReader lines(stream, 1000);
    (void)lines.line(base::Deadline::after_ms(1000)).ok();
    (void)stream.write("250 x\r\n", base::Deadline::after_ms(1000)).ok();
    for (int i = 0; i < 6; ++i) (void)lines.line(base::Deadline::after_ms(1000)).ok();
  });
  net::FdStream stream(std::move(sockets.left));
  mail::Submission submission = sample(1, 1);
  submit::Handover handover;
  handover.submission = &submission;
  const submit::Outcome outcome = submit::hand_over(stream, handover);
  server.join();
  CHECK(outcome.exit == 69);
  CHECK(outcome.text.starts_with("outcome unknown, may have been delivered"));
}

namespace {
// A session that takes files, and a client that sends one along with its flight, or none.
std::string talk_with_file(const std::string& client, int file, Seen& seen, bool takes_files) {
  Pair sockets = make_pair_of_sockets();
  submit::SessionRules rules;
  rules.takes_files = takes_files;
  rules.peer_login = "alice";
  std::thread server([&] {
    net::FdStream stream(std::move(sockets.right));
    if (takes_files) stream.accept_files();
    (void)submit::serve(stream, rules, [&](mail::Submission submission, const base::Trace&, bool) {
      ++seen.messages;
      seen.text = *submission.message.bytes.all(1 << 20);
      return submit::Verdict{};
    }).ok();
  });
  net::FdStream stream(std::move(sockets.left));
  const base::Deadline soon = base::Deadline::after_ms(5000);
  if (file >= 0) {
    REQUIRE(stream.write_with_file(client, file, soon).ok());
  } else {
    REQUIRE(stream.write(client, soon).ok());
  }
  shutdown(stream.fd(), SHUT_WR);
  std::string answers;
  std::array<char, 4096> buffer{};
  for (;;) {
    base::Result<std::size_t> got = stream.read(buffer.data(), buffer.size(), soon);
    if (!got || *got == 0) break;
    answers.append(buffer.data(), *got);
  }
  server.join();
  return answers;
}
}  // namespace

TEST_CASE("session: a message in a file is taken from our own front end only", "[submit]") {
  const std::string flight =
      "EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<r@y>\r\nBDAT 0 LAST X-FILE\r\nQUIT\r\n";
  const std::string text = "Subject: a\r\n\r\nbody\r\n";
  base::Result<base::Fd> file = base::temporary_file();
  REQUIRE(file.ok());
  REQUIRE(base::write_all(file->get(), text, "file").ok());
  Seen seen;
  SECTION("taken") {
    const std::string answers = talk_with_file(flight, file->get(), seen, true);
    CHECK(answers.find("250-X-FILE") != std::string::npos);
    CHECK(seen.messages == 1);
    CHECK(seen.text == text);
  }
  SECTION("from nobody else") {
    const std::string answers = talk_with_file(flight, file->get(), seen, false);
    CHECK(answers.find("X-FILE") == std::string::npos);
    CHECK(answers.find("\r\n501 ") != std::string::npos);
    CHECK(seen.messages == 0);
  }
  SECTION("no file came") {
    const std::string answers = talk_with_file(flight, -1, seen, true);
    CHECK(answers.find("\r\n451 ") != std::string::npos);
    CHECK(seen.messages == 0);
  }
  SECTION("what came is no file") {
    const Pair pipe = make_pair_of_sockets();
    const std::string answers = talk_with_file(flight, pipe.left.get(), seen, true);
    CHECK(answers.find("\r\n451 ") != std::string::npos);
    CHECK(seen.messages == 0);
  }
  SECTION("without an envelope") {
    const std::string answers =
        talk_with_file("EHLO x\r\nBDAT 0 LAST X-FILE\r\nQUIT\r\n", file->get(), seen, true);
    CHECK(answers.find("\r\n503 ") != std::string::npos);
    CHECK(seen.messages == 0);
  }
}

TEST_CASE("hand_over: an agent that never greets, or talks nonsense, is no success", "[submit]") {
  for (const std::string& greeting :
       {std::string(), std::string("hello\r\n"), std::string("554 no x=77\r\n")}) {
    Pair sockets = make_pair_of_sockets();
    {
      net::FdStream server(std::move(sockets.right));
      if (!greeting.empty()) {
        REQUIRE(server.write(greeting, base::Deadline::after_ms(1000)).ok());
      }
    }
    net::FdStream stream(std::move(sockets.left));
    mail::Submission submission = sample(1, 1);
    submit::Handover handover;
    handover.submission = &submission;
    const submit::Outcome outcome = submit::hand_over(stream, handover);
    CHECK(outcome.exit != 0);
    CHECK(outcome.text.starts_with("not sent"));
  }
}

TEST_CASE("session: X-VERIFY is taken only by who heeds it, and never by -bs", "[submit]") {
  const std::string client =
      "EHLO x\r\nMAIL FROM:<s@x> X-VERIFY\r\nRCPT TO:<r@y>\r\nBDAT 0 LAST\r\nQUIT\r\n";
  Seen seen;
  CHECK(talk(client, seen).find("\r\n555 5.5.4 ") != std::string::npos);
  CHECK(seen.messages == 0);
  submit::SessionRules rules;
  rules.verifies = true;
  const std::string answers = talk(client, seen, {}, rules);
  CHECK(seen.messages == 1);
  CHECK(answers.find("150 EHLO there\r\n") != std::string::npos);  // what it tells is trace
  Seen other;
  rules.entrance = submit::Entrance::standard_input;
  CHECK(talk("HELO x\r\nMAIL FROM:<s@x> X-VERIFY\r\n", other, {}, rules).find("\r\n555 ") !=
        std::string::npos);
}
