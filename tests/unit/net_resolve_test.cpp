#include "net/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "catch.h"

namespace {

struct Door {
  explicit Door(int backlog = 8) {
    fd = base::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(fd.get(), backlog) == 0);
    REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port = ntohs(address.sin_port);
  }
  base::Fd fd;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("resolve: numbers and localhost connect, without delay for small writes", "[net]") {
  const Door door;
  for (const std::string host : {"127.0.0.1", "localhost", "LOCALHOST", "::ffff:127.0.0.1"}) {
    INFO(host);
    const base::Result<base::Fd> fd = net::connect_tcp(host, door.port, 5'000);
    REQUIRE(fd.ok());
    int on = 0;
    socklen_t length = sizeof on;
    const int socket = std::move(const_cast<base::Result<base::Fd>&>(fd)).value().get();
    REQUIRE(getsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0);
    CHECK(on != 0);
  }
}

TEST_CASE("resolve: P14 a closed port says so, with host and port", "[net]") {
  std::uint16_t port = 0;
  {
    const Door gone;
    port = gone.port;
  }
  const auto fd = net::connect_tcp("127.0.0.1", port, 5'000);
  REQUIRE_FALSE(fd.ok());
  CHECK(fd.error().fault == base::Fault::unavailable);
  CHECK(fd.error().cause ==
        "cannot reach 127.0.0.1:" + std::to_string(port) + " (Connection refused)");
  CHECK(fd.error().cure == "try again");
  const auto v6 = net::connect_tcp("[::1]", port, 5'000);
  REQUIRE_FALSE(v6.ok());
  CHECK(v6.error().cause.find("[::1]:" + std::to_string(port)) != std::string::npos);
}

TEST_CASE("resolve: P14 a name that does not exist", "[net]") {
  const auto fd = net::connect_tcp("no-such-host.invalid", 587, 5'000);
  REQUIRE_FALSE(fd.ok());
  CHECK(fd.error().fault == base::Fault::unavailable);
  // Without a network there is no answer at all.
  const std::string& cause = fd.error().cause;
  CHECK(cause.rfind("cannot reach no-such-host.invalid:587 (", 0) == 0);
  CHECK((cause.find("name not found") != std::string::npos ||
         cause.find("name servers do not answer") != std::string::npos));
}

TEST_CASE("resolve: P14 a port that swallows packets is given up at the deadline", "[net]") {
  // A full backlog drops what comes next, like a firewall.
  const Door door(0);
  std::vector<base::Fd> fill;
  for (int i = 0; i < 4; ++i) {
    base::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(door.port);
    static_cast<void>(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
    fill.push_back(std::move(fd));
  }
  const std::int64_t before = base::boot_ms();
  const auto fd = net::connect_tcp("127.0.0.1", door.port, 1'000);
  const std::int64_t took_ms = base::boot_ms() - before;
  REQUIRE_FALSE(fd.ok());
  CHECK(took_ms >= 1'000);
  CHECK(took_ms < 3'000);
  const std::string port = std::to_string(door.port);
  CHECK(fd.error().cause ==
        "cannot reach 127.0.0.1:" + port + " (timed out after 1 s; is port " + port + " blocked?)");
}

TEST_CASE("resolve: control bytes of a host name do not reach the error text", "[net]") {
  const auto fd = net::connect_tcp("bad\x1b[31m\nhost", 587, 2'000);
  REQUIRE_FALSE(fd.ok());
  CHECK(fd.error().cause.find('\n') == std::string::npos);
  CHECK(fd.error().cause.find('\x1b') == std::string::npos);
}
