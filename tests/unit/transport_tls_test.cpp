#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <mutex>
#include <thread>

#include "catch.h"
#include "tls_identity.h"
#include "transport/deliver.h"
#include "transport_script.h"

using base::Fault;
using State = base::Fate::State;

namespace {

// A server on the loopback with real TLS. It answers every line by its first word.
class TlsMailServer {
 public:
  struct Habits {
    bool implicit = false;
    std::string behind_starttls{};  // plaintext that rides behind the 220
    bool late = false;              // sent on its own, a moment later
    std::string early{};            // said a moment after 354
    bool vanish_after_dot = false;  // no reply, no close_notify
  };
  TlsMailServer(const tls_identity::Identity& identity, Habits habits)
      : habits_(std::move(habits)), context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_use_certificate(context_, identity.certificate);
    SSL_CTX_use_PrivateKey(context_, identity.key);
    door_ = base::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(bind(door_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(door_.get(), 4) == 0);
    REQUIRE(getsockname(door_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsMailServer() {
    thread_.join();
    SSL_CTX_free(context_);
  }
  std::uint16_t port = 0;
  std::string plain{};      // what came without TLS; read after the delivery
  std::string encrypted{};  // what came inside
  bool got_dot = false;

  void finish() {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
  }

 private:
  bool line(std::string& out) {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end != std::string::npos) {
        out = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return true;
      }
      std::array<char, 4096> piece;
      const int got = ssl_ != nullptr ? SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()))
                                      : static_cast<int>(recv(fd_, piece.data(), piece.size(), 0));
      if (got <= 0) return false;
      const std::string bytes(piece.data(), static_cast<std::size_t>(got));
      (ssl_ != nullptr ? encrypted : plain) += bytes;
      buffer_ += bytes;
    }
  }
  void say(const std::string& bytes) {
    if (ssl_ != nullptr) {
      SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    } else {
      send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
  }
  bool secure() {
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    buffer_.clear();
    return SSL_accept(ssl_) == 1;
  }
  void starttls() {
    if (habits_.late) {
      say("220 go\r\n");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      say(habits_.behind_starttls);
    } else {
      say("220 go\r\n" + habits_.behind_starttls);
    }
  }
  void serve() {
    fd_ = accept(door_.get(), nullptr, nullptr);
    if (!habits_.implicit || secure()) talk();
    if (ssl_ != nullptr) SSL_free(ssl_);
    ERR_clear_error();
    close(fd_);
  }
  void talk() {
    say("220 here\r\n");
    std::string one;
    while (line(one)) {
      if (one.rfind("EHLO", 0) == 0) {
        say(ssl_ != nullptr ? "250-here\r\n250-PIPELINING\r\n250 AUTH XOAUTH2\r\n"
                            : "250-here\r\n250 STARTTLS\r\n");
      } else if (one == "STARTTLS") {
        starttls();
        if (!secure()) return;
      } else if (one.rfind("AUTH", 0) == 0) {
        say("235 2.7.0 welcome\r\n");
      } else if (one == "DATA") {
        say("354 go\r\n");
        if (!habits_.early.empty()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
          say(habits_.early);
        }
        while (line(one) && one != ".") {
        }
        if (habits_.vanish_after_dot) return;
        if (one != ".") return;
        got_dot = true;
        say("250 2.0.0 OK\r\n");
      } else if (one == "QUIT") {
        say("221 bye\r\n");
        SSL_shutdown(ssl_);
        return;
      } else {
        say("250 ok\r\n");
      }
    }
  }

  Habits habits_;
  SSL_CTX* context_;
  base::Fd door_;
  int fd_ = -1;
  SSL* ssl_ = nullptr;
  std::string buffer_;
  std::thread thread_;
};

struct Outcome {
  base::Fate fate{};
  int tokens_asked = 0;
};

Outcome deliver_to(TlsMailServer& server, const std::string& ca_file, account::SmtpTls tls,
                   const std::string& body = "hello\r\n") {
  account::Account account = script::an_account();
  account.smtp_host = "localhost";
  account.smtp_port = server.port;
  account.smtp_tls = tls;
  account.ca_file = ca_file;
  account.timeout_s = 5;
  mail::Prepared message = script::a_message({"you@else.example"}, body);
  transport::Delivery delivery;
  delivery.account = &account;
  delivery.message = &message;
  Outcome out;
  delivery.credential = [&out](bool) -> base::Result<base::Secret> {
    ++out.tokens_asked;
    return base::Secret("tok-canary-1");
  };
  out.fate = transport::deliver(delivery).at(0);
  server.finish();
  CHECK(server.plain.find("AUTH") == std::string::npos);
  CHECK(server.plain.find("MAIL") == std::string::npos);
  return out;
}

tls_identity::Identity for_localhost(long to_s = 3600) {
  tls_identity::Wish wish;
  wish.alternatives = "DNS:localhost";
  wish.from_s = -200'000;
  wish.to_s = to_s;
  return make(wish, &tls_identity::authority());
}

}  // namespace

TEST_CASE("deliver: STARTTLS and implicit TLS from end to end", "[transport]") {
  tls_identity::Folder folder;
  const std::string ca = folder.put("ca.pem", &tls_identity::authority());
  const tls_identity::Identity identity = for_localhost();
  for (const bool implicit : {false, true}) {
    INFO(implicit);
    TlsMailServer::Habits habits;
    habits.implicit = implicit;
    TlsMailServer server(identity, habits);
    const Outcome out =
        deliver_to(server, ca, implicit ? account::SmtpTls::implicit : account::SmtpTls::starttls);
    CHECK(out.fate.state == State::delivered);
    CHECK(out.tokens_asked == 1);
    CHECK(server.encrypted.find("Subject: test\r\n\r\nhello\r\n.\r\nQUIT\r\n") !=
          std::string::npos);
    CHECK(server.plain.empty() == implicit);
  }
}

TEST_CASE("deliver: P9 a certificate that fails ends it before any token is asked for",
          "[transport]") {
  tls_identity::Folder folder;
  const std::string ca = folder.put("ca.pem", &tls_identity::authority());
  const tls_identity::Identity expired = for_localhost(-100'000);
  TlsMailServer server(expired, {});
  const Outcome out = deliver_to(server, ca, account::SmtpTls::starttls);
  CHECK(out.fate.state == State::deferred);
  CHECK(out.fate.error.fault == Fault::unavailable);
  CHECK(out.fate.error.cause.rfind("certificate of localhost expired on 20", 0) == 0);
  CHECK(out.fate.error.account == "work");
  CHECK(out.tokens_asked == 0);
}

TEST_CASE("deliver: P10 injected plaintext is refused, in the same packet or a later one",
          "[transport]") {
  tls_identity::Folder folder;
  const std::string ca = folder.put("ca.pem", &tls_identity::authority());
  const tls_identity::Identity identity = for_localhost();
  for (const bool late : {false, true}) {
    INFO(late);
    TlsMailServer::Habits habits;
    habits.behind_starttls = "250-here\r\n250 AUTH XOAUTH2\r\n235 welcome\r\n";
    habits.late = late;
    TlsMailServer server(identity, habits);
    const Outcome out = deliver_to(server, ca, account::SmtpTls::starttls);
    CHECK(out.fate.state == State::deferred);
    CHECK(out.tokens_asked == 0);
  }
}

TEST_CASE("deliver: P12 a connection cut behind the dot is no success", "[transport]") {
  tls_identity::Folder folder;
  const std::string ca = folder.put("ca.pem", &tls_identity::authority());
  const tls_identity::Identity identity = for_localhost();
  TlsMailServer::Habits habits;
  habits.vanish_after_dot = true;
  TlsMailServer server(identity, habits);
  const Outcome out = deliver_to(server, ca, account::SmtpTls::starttls);
  CHECK(out.fate.state == State::unknown);
  CHECK(out.fate.error.cause.rfind("outcome unknown, may have been delivered", 0) == 0);
}

TEST_CASE("deliver: P8 a 250 before the dot is no verdict inside TLS either", "[transport]") {
  tls_identity::Folder folder;
  const std::string ca = folder.put("ca.pem", &tls_identity::authority());
  const tls_identity::Identity identity = for_localhost();
  TlsMailServer::Habits habits;
  habits.early = "250 2.0.0 warning from a proxy\r\n";
  TlsMailServer server(identity, habits);
  std::string body;  // more than the buffers of a loopback connection hold
  for (int i = 0; i < 400'000; ++i) body += "a line of the attachment that is long enough\r\n";
  const Outcome out = deliver_to(server, ca, account::SmtpTls::starttls, body);
  CHECK(out.fate.state == State::deferred);
  CHECK(out.fate.error.fault == Fault::protocol);
  CHECK_FALSE(server.got_dot);
}
