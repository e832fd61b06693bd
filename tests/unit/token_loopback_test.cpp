#include "token/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "catch.h"
#include "token/landing_page.h"
#include "token/loopback_request.h"

using token::Loopback;
using token::RedirectAnswer;

namespace {

const std::string our_state = "the-state-of-this-sign-in-43-letters-long--";

std::unique_ptr<Loopback> opened() {
  auto loopback = Loopback::open(our_state);
  REQUIRE(loopback.ok());
  return std::move(*loopback);
}

// Some other process on this machine.
base::Fd connect_to(const Loopback& loopback, int family = AF_INET) {
  base::Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{5, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (family == AF_INET) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(loopback.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(loopback.port());
    to.sin6_addr = in6addr_loopback;
    REQUIRE(connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  return socket;
}

void say(const base::Fd& socket, const std::string& text) {
  REQUIRE(send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

std::string request(const Loopback& loopback, const std::string& target,
                    const std::string& method = "GET") {
  return method + " " + target + " HTTP/1.1\r\nHost: localhost:" + std::to_string(loopback.port()) +
         "\r\nUser-Agent: x\r\n\r\n";
}

// Steps until an answer is there or `ms` have passed.
std::optional<RedirectAnswer> wait_for(Loopback& loopback, std::int64_t ms = 3000) {
  const base::Deadline end = base::Deadline::after_ms(ms);
  while (!end.passed()) {
    if (auto answer = loopback.step()) return answer;
    std::vector<pollfd> watched;
    loopback.add_watched(watched);
    poll(watched.data(), watched.size(), end.or_sooner(loopback.next_deadline()).left_ms());
  }
  return std::nullopt;
}

// All that is answered, while the listener is stepped.
std::string heard(Loopback& loopback, const base::Fd& socket) {
  std::string text;
  const base::Deadline end = base::Deadline::after_ms(3000);
  while (!end.passed()) {
    REQUIRE_FALSE(loopback.step().has_value());
    char bytes[4096];
    const ssize_t got = recv(socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0) return text;
    if (got > 0) text.append(bytes, static_cast<std::size_t>(got));
    if (got < 0) usleep(1000);
  }
  return text;
}

std::string good_query() {
  return "/?code=0.AXk-code_1~&state=" + our_state + "&session_state=x";
}

}  // namespace

TEST_CASE("loopback: the browser's answer counts, on both addresses", "[token]") {
  for (const int family : {AF_INET, AF_INET6}) {
    auto loopback = opened();
    if (family == AF_INET6) {
      std::vector<pollfd> listeners;
      loopback->add_watched(listeners);
      if (listeners.size() < 2) continue;  // a machine without ::1
    }
    const base::Fd browser = connect_to(*loopback, family);
    say(browser, request(*loopback, good_query()));
    auto answer = wait_for(*loopback);
    REQUIRE(answer.has_value());
    CHECK(answer->code.reveal() == "0.AXk-code_1~");
    CHECK(answer->error.empty());
    const std::string page = heard(*loopback, browser);
    CHECK(page.substr(0, 15) == "HTTP/1.1 200 OK");
    for (const char* field :
         {"Content-Security-Policy: default-src 'none'", "Cache-Control: no-store",
          "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
          "X-Frame-Options: DENY", "Connection: close"}) {
      INFO(field);
      CHECK(page.find(field) != std::string::npos);
    }
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("http://") == std::string::npos);
    CHECK(page.find("AXk") == std::string::npos);
    CHECK(page.find("You may close this window") != std::string::npos);
  }
}

TEST_CASE("loopback: a foreign process with 1,000 wrong states neither ends nor steals it",
          "[token]") {
  auto loopback = opened();
  std::string almost = our_state;
  almost.back() = 'x';
  const std::int64_t began = base::boot_ms();
  for (int i = 0; i < 1000; ++i) {
    const base::Fd foreign = connect_to(*loopback);
    const std::string state = i % 3 == 0 ? almost : i % 3 == 1 ? "" : our_state + "x";
    say(foreign, request(*loopback, "/?code=stolen&state=" + state));
    const std::string page = heard(*loopback, foreign);
    REQUIRE(page.substr(0, 12) == "HTTP/1.1 404");
  }
  CHECK(base::boot_ms() - began < 20'000);
  const base::Fd browser = connect_to(*loopback);
  say(browser, request(*loopback, good_query()));
  auto answer = wait_for(*loopback);
  REQUIRE(answer.has_value());
  CHECK(answer->code.reveal() == "0.AXk-code_1~");
}

TEST_CASE("loopback: those who connect and say nothing do not keep the browser out", "[token]") {
  auto loopback = opened();
  std::vector<base::Fd> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(connect_to(*loopback));
    if (i % 2 == 0) say(silent.back(), "GET /?sta");
    if (i % 20 == 0) CHECK_FALSE(loopback->step().has_value());
  }
  CHECK_FALSE(loopback->step().has_value());
  std::vector<pollfd> watched;
  loopback->add_watched(watched);
  CHECK(watched.size() <= 34);
  const base::Fd browser = connect_to(*loopback);
  say(browser, request(*loopback, good_query()));
  const std::int64_t began = base::boot_ms();
  CHECK(wait_for(*loopback).has_value());
  CHECK(base::boot_ms() - began < 1000);
}

TEST_CASE("loopback: a request in pieces is one request, an endless one ends", "[token]") {
  auto loopback = opened();
  const base::Fd slow = connect_to(*loopback);
  for (const char c : request(*loopback, good_query())) {
    say(slow, std::string(1, c));
    if (c == '\n') break;
    REQUIRE_FALSE(loopback->step().has_value());
  }
  const base::Fd endless = connect_to(*loopback);
  say(endless, "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
  CHECK(heard(*loopback, endless).empty());
  say(slow, "Host: 127.0.0.1:" + std::to_string(loopback->port()) + "\r\n\r\n");
  CHECK(wait_for(*loopback).has_value());
}

TEST_CASE("loopback: only a GET of / by our name and port is an answer", "[token]") {
  const auto judged = [](const std::string& text) {
    return token::read_loopback_request(text, our_state, 4711).answer.has_value();
  };
  const std::string query = "?code=abc12345&state=" + our_state;
  const std::string host = "Host: localhost:4711\r\n";
  const std::string end = " HTTP/1.1\r\n";
  CHECK(judged("GET /" + query + end + host));
  CHECK(judged("GET /" + query + end + "hOST:  LOCALHOST:4711 \r\n"));
  CHECK(judged("GET /" + query + end + "Host: [::1]:4711\r\n"));
  for (const std::string& text : {"HEAD /" + query + end + host,
                                  "POST /" + query + end + host,
                                  "get /" + query + end + host,
                                  "GET /favicon.ico" + query + end + host,
                                  "GET //" + query + end + host,
                                  "GET http://localhost:4711/" + query + end + host,
                                  "GET /" + query + "\r\n" + host,
                                  "GET /" + query + " SPDY/3\r\n" + host,
                                  "GET /" + query + end,
                                  "GET /" + query + end + "Host: evil.example:4711\r\n",
                                  "GET /" + query + end + "Host: localhost:4712\r\n",
                                  "GET /" + query + end + "Host: localhost\r\n",
                                  "GET /" + query + end + host + host,
                                  "GET /?state=" + our_state + end + host,
                                  "GET /" + query + "&error=x" + end + host,
                                  "GET /" + query + "&state=" + our_state + end + host,
                                  "GET /" + query + "&code=other" + end + host,
                                  "GET /?code=%zz&state=" + our_state + end + host,
                                  "GET /?code=a%0Ab&state=" + our_state + end + host,
                                  std::string("\r\n\r\n"),
                                  std::string()}) {
    INFO(text);
    CHECK_FALSE(judged(text));
  }
  CHECK(token::read_loopback_request("HEAD / HTTP/1.1\r\n" + host, our_state, 4711).head);
}

TEST_CASE("loopback: a provider's refusal is shown, and nothing in it is believed", "[token]") {
  auto loopback = opened();
  const base::Fd browser = connect_to(*loopback);
  say(browser, request(*loopback,
                       "/?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E"
                       "%1B%5B31m+AADSTS65004%3A+declined&state=" +
                           our_state));
  auto answer = wait_for(*loopback);
  REQUIRE(answer.has_value());
  CHECK(answer->error == "access_denied");
  CHECK(answer->code.empty());
  CHECK(answer->description == "<script>alert(1)</script>\\x1b[31m AADSTS65004: declined");
  const std::string page = heard(*loopback, browser);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("&lt;script&gt;") != std::string::npos);
  CHECK(page.find("refused") != std::string::npos);
}
