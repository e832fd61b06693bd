#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "catch.h"
#include "transport/deliver.h"
#include "transport_script.h"

using base::Fault;
using State = base::Fate::State;

namespace {

// A listening socket on the loopback, and its port.
base::Fd listening(std::uint16_t& port) {
  base::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(listen(fd.get(), 8) == 0);
  REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

TEST_CASE("deliver: a relay without TLS and sign-in, over real TCP", "[transport]") {
  std::uint16_t port = 0;
  const base::Fd door = listening(port);
  std::unique_ptr<script::Server> server;
  std::thread accepting([&] {
    server =
        std::make_unique<script::Server>(accept(door.get(), nullptr, nullptr), script::Behaviour());
  });
  account::Account account = script::an_account();
  account.smtp_host = "127.0.0.1";
  account.smtp_port = port;
  account.smtp_tls = account::SmtpTls::none;
  account.auth = account::Auth::none;
  mail::Prepared message = script::a_message({"you@else.example"});
  transport::Delivery delivery;
  delivery.account = &account;
  delivery.message = &message;
  const std::vector<base::Fate> fates = transport::deliver(delivery);
  accepting.join();
  REQUIRE(fates.size() == 1);
  CHECK(fates[0].state == State::delivered);
  CHECK(server->seen().complete);
}

TEST_CASE("deliver: a server that is not there is a fate, too", "[transport]") {
  std::uint16_t port = 0;
  { const base::Fd gone = listening(port); }
  account::Account account = script::an_account();
  account.smtp_host = "127.0.0.1";
  account.smtp_port = port;
  mail::Prepared message = script::a_message({"a@x.example", "b@x.example"});
  transport::Delivery delivery;
  delivery.account = &account;
  delivery.message = &message;
  const std::vector<base::Fate> fates = transport::deliver(delivery);
  REQUIRE(fates.size() == 2);
  CHECK(fates[1].state == State::deferred);
  CHECK(fates[1].error.cause ==
        "cannot reach 127.0.0.1:" + std::to_string(port) + " (Connection refused)");
  CHECK(fates[1].error.account == "work");
}

TEST_CASE("deliver: an account of Graph asks the helper and no SMTP server", "[transport]") {
  account::Account account = script::an_account();
  account.transport = account::Transport::graph;
  account.graph_endpoint = "https://graph.example/v1.0";
  mail::Prepared message = script::a_message({"you@else.example"});
  transport::Delivery delivery;
  delivery.account = &account;
  delivery.message = &message;
  delivery.token = [](bool) { return base::Result<base::Secret>(base::Secret("tok-canary")); };
  Fault fault = Fault::unavailable;
  std::string asked;
  delivery.ask = [&](const net::Record& request, base::Deadline) -> base::Result<net::Record> {
    asked = request.verb() + " " + std::string(request.get("url"));
    CHECK(request.attached.open());
    return base::failure(fault, "mailbearer-helper ended without an answer");
  };
  CHECK(transport::deliver(delivery).at(0).state == State::deferred);
  CHECK(asked == "graph https://graph.example/v1.0/me/sendMail");
  fault = Fault::outcome_unknown;
  CHECK(transport::deliver(delivery).at(0).state == State::unknown);
}
