#include "agent/network_door.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>

#include "catch.h"
#include "net/stream.h"

namespace {

using base::Deadline;

// A free port, as far as one can know.
int free_port() {
  const base::Fd probe(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  return ntohs(address.sin_port);
}

struct Door {
  explicit Door(agent::NetworkRules rules = {}) {
    rules.listen = {"127.0.0.1:" + std::to_string(port)};
    auto opened = agent::NetworkDoor::open(
        std::move(rules),
        [](const std::string& name, const base::Secret& password) {
          return name == "scanner" && password.reveal() == "right" ? std::string("site")
                                                                   : std::string();
        },
        [this](mail::Submission submission) {
          ++messages;
          account = submission.asked_account;
          over_network = submission.peer.over_network;
          return submit::Verdict{};
        });
    REQUIRE(opened.ok());
    door = std::move(*opened);
  }

  // All that is answered to `said`, once it has greeted.
  std::string talk(const std::string& said, bool at_once = false) const {
    base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
    net::FdStream stream(std::move(socket));
    net::LineReader lines(stream, 4096);
    std::string heard;
    if (!at_once) {
      const base::Result<std::string> greeting = lines.line(Deadline::after_ms(10'000));
      REQUIRE(greeting.ok());
      heard = *greeting + "\n";
    }
    (void)stream.write(said, Deadline::after_ms(10'000)).ok();
    for (;;) {
      const base::Result<std::string> line = lines.line(Deadline::after_ms(10'000));
      if (!line) return heard;
      heard += *line + "\n";
    }
  }

  int port = free_port();
  std::atomic<int> messages = 0;
  std::string account;
  bool over_network = false;
  std::unique_ptr<agent::NetworkDoor> door;
};

const std::string mail_and_quit =
    "MAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\nSubject: s\r\n\r\n..dot\r\n.\r\nQUIT\r\n";

}  // namespace

TEST_CASE("network door: nothing without AUTH, on loopback either", "[agent]") {
  Door door;
  const std::string heard = door.talk("EHLO scanner\r\n" + mail_and_quit);
  CHECK(heard.find("AUTH PLAIN LOGIN") != std::string::npos);
  CHECK(heard.find("530 5.7.0") != std::string::npos);
  CHECK(heard.find("X-MAILBEARER") == std::string::npos);
  CHECK(heard.find("CHUNKING") == std::string::npos);
  CHECK(door.messages == 0);
}

TEST_CASE("network door: AUTH by both mechanisms, and the account that it is for", "[agent]") {
  Door door;
  SECTION("PLAIN with the initial response") {
    CHECK(door.talk("EHLO x\r\nAUTH PLAIN AHNjYW5uZXIAcmlnaHQ=\r\n" + mail_and_quit)
              .find("250 2.0.0 Ok: queued as ") != std::string::npos);
  }
  SECTION("PLAIN without") {
    CHECK(door.talk("EHLO x\r\nAUTH PLAIN\r\nAHNjYW5uZXIAcmlnaHQ=\r\n" + mail_and_quit)
              .find("334 \n235 2.7.0") != std::string::npos);
  }
  SECTION("LOGIN") {
    CHECK(door.talk("EHLO x\r\nAUTH LOGIN\r\nc2Nhbm5lcg==\r\ncmlnaHQ=\r\n" + mail_and_quit)
              .find("235 2.7.0") != std::string::npos);
  }
  CHECK(door.messages == 1);
  CHECK(door.account == "site");
  CHECK(door.over_network);
}

TEST_CASE("network door: wrong words are 535, and few of them are heard", "[agent]") {
  Door door;
  std::string tries;
  for (int i = 0; i < 10; ++i) tries += "AUTH PLAIN AHNjYW5uZXIAd3Jvbmc=\r\n";
  const std::string heard = door.talk("EHLO x\r\n" + tries + mail_and_quit);
  CHECK(heard.find("535 5.7.8") != std::string::npos);
  CHECK(heard.find("421 4.7.0 Too many errors") != std::string::npos);
  CHECK(door.messages == 0);
}

TEST_CASE("network door: who does not speak SMTP is hung up on", "[agent]") {
  agent::NetworkRules rules;
  rules.wants_auth = false;
  Door door(rules);
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n\r\n" + mail_and_quit;
  CHECK(door.talk(post).find("554 5.5.1 This is SMTP\n") != std::string::npos);
  CHECK(door.talk(post, true).find("554 5.5.1 Wait for the greeting\n") == 0);
  CHECK(door.messages == 0);
  CHECK(door.talk("HELO x\r\n" + mail_and_quit).find("queued as") != std::string::npos);
  CHECK(door.messages == 1);
}

TEST_CASE("network door: who is not allowed hears one line", "[agent]") {
  agent::NetworkRules rules;
  rules.wants_auth = false;
  rules.allow = {"192.0.2.0/24"};
  Door door(rules);
  CHECK(door.talk("HELO x\r\n", true) == "554 5.7.1 Not for you\n");
}
