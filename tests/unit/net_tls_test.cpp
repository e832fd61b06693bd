#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <thread>

#include "catch.h"
#include "tls_identity.h"

using base::Deadline;
using tls_identity::authority;
using tls_identity::Folder;
using tls_identity::Identity;
using tls_identity::make;
using tls_identity::Wish;

namespace {

// --- A server on the other end of a socket pair.

struct TlsServer {
  TlsServer(const Identity& identity, std::function<void(SSL*)> talk, int highest = 0,
            bool wants_certificate = false) {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    client = base::Fd(ends[0]);
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    if (highest != 0) SSL_CTX_set_max_proto_version(context, highest);
    if (wants_certificate) {
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority().certificate);
    }
    SSL_CTX_use_certificate(context, identity.certificate);
    SSL_CTX_use_PrivateKey(context, identity.key);
    thread = std::thread([this, context, talk = std::move(talk), fd = ends[1]] {
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, fd);
      if (SSL_accept(ssl) == 1) {
        accepted = true;
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        asked_for = name != nullptr ? name : "";
        talk(ssl);
      }
      SSL_free(ssl);
      SSL_CTX_free(context);
      ERR_clear_error();
      close(fd);
    });
  }
  ~TlsServer() { thread.join(); }
  base::Fd client;
  bool accepted = false;
  std::string asked_for;
  std::thread thread;
};

void keep_still(SSL* ssl) {
  char byte = 0;
  SSL_read(ssl, &byte, 1);
}

Deadline soon() {
  return Deadline::after_ms(5'000);
}

// Connects to a server with this identity and yields the error, if any.
base::Error refusal(const Identity& identity, const std::string& name, const std::string& ca_file,
                    int highest = 0) {
  TlsServer server(identity, keep_still, highest);
  auto context = net::make_tls_context({ca_file, {}});
  REQUIRE(context.ok());
  auto stream = net::start_tls(**context, std::move(server.client), name, soon());
  if (!stream) return std::move(stream).error();
  return base::failure(base::Fault::bug, "");
}

}  // namespace

TEST_CASE("tls: a trusted server with the right name is talked to", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  TlsServer server(good, [](SSL* ssl) {
    std::array<char, 64> into{};
    const int got = SSL_read(ssl, into.data(), into.size());
    SSL_write(ssl, into.data(), got);
    SSL_shutdown(ssl);
  });
  auto context = net::make_tls_context({ca, {}});
  REQUIRE(context.ok());
  auto stream = net::start_tls(**context, std::move(server.client), "mail.example", soon());
  REQUIRE(stream.ok());
  CHECK((*stream)->encrypted());
  CHECK((*stream)->write("hello", soon()).ok());
  std::array<char, 64> into{};
  CHECK((*stream)->read(into.data(), into.size(), soon()).value() == 5);
  CHECK(std::string(into.data(), 5) == "hello");
  // close_notify is a clean end.
  CHECK((*stream)->read(into.data(), into.size(), soon()).value() == 0);
  CHECK(server.asked_for == "mail.example");
}

TEST_CASE("tls: input is words or the end, and no session ticket", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  for (const int highest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto until_told = [](SSL* ssl) {
      char byte = 0;
      SSL_read(ssl, &byte, 1);
    };
    TlsServer server(
        good,
        [&](SSL* ssl) {
          until_told(ssl);
          until_told(ssl);
          SSL_write(ssl, "word", 4);
          until_told(ssl);
          SSL_shutdown(ssl);
          until_told(ssl);
        },
        highest);
    auto context = net::make_tls_context({ca, {}});
    const int fd = server.client.get();
    auto stream = net::start_tls(**context, std::move(server.client), "mail.example", soon());
    REQUIRE(stream.ok());
    const auto wait_for_bytes = [fd] {
      pollfd one{fd, POLLIN, 0};
      return poll(&one, 1, 5'000) == 1;
    };
    // A ticket that comes late makes the socket readable, too, and is no input.
    const auto input_comes = [&] {
      while (!(*stream)->has_input().value()) {
        if (!wait_for_bytes()) return false;
      }
      return true;
    };
    CHECK((*stream)->write("0", soon()).ok());
    // In TLS 1.3 the tickets follow the end of the handshake, which left with these words.
    if (highest == TLS1_3_VERSION) CHECK(wait_for_bytes());
    CHECK_FALSE((*stream)->has_input().value());
    CHECK((*stream)->write("1", soon()).ok());
    CHECK(input_comes());
    CHECK((*stream)->has_input().value());
    std::array<char, 64> into{};
    CHECK((*stream)->read(into.data(), into.size(), soon()).value() == 4);
    CHECK_FALSE((*stream)->has_input().value());
    CHECK((*stream)->write("2", soon()).ok());
    CHECK(input_comes());
    CHECK((*stream)->read(into.data(), into.size(), soon()).value() == 0);
  }
}

TEST_CASE("tls: a farewell in the midst of the handshake is no connection", "[net]") {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  std::thread server([fd = ends[1]] {
    std::array<char, 4096> hello{};
    (void)!read(fd, hello.data(), hello.size());
    const std::array<char, 7> close_notify = {0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x00};
    (void)!write(fd, close_notify.data(), close_notify.size());
    close(fd);
  });
  auto context = net::make_tls_context({});
  auto stream = net::start_tls(**context, base::Fd(ends[0]), "mail.example", soon());
  server.join();
  REQUIRE_FALSE(stream.ok());
  CHECK(stream.error().cause.find("TLS with mail.example failed") == 0);
}

TEST_CASE("tls: the end of the handshake leaves with the first words", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  TlsServer server(good, [](SSL* ssl) {
    char byte = 0;
    SSL_read(ssl, &byte, 1);
    SSL_write(ssl, "word", 4);
  });
  auto context = net::make_tls_context({ca, {}});
  auto stream = net::start_tls(**context, std::move(server.client), "mail.example", soon());
  REQUIRE(stream.ok());
  usleep(50'000);
  CHECK_FALSE(server.accepted);
  CHECK((*stream)->write("1", soon()).ok());
  std::array<char, 64> into{};
  CHECK((*stream)->read(into.data(), into.size(), soon()).value() == 4);
  CHECK(server.accepted);
}

namespace {

struct Shelf : net::TlsSessions {
  std::optional<net::TlsSession> take(const std::string& words) override {
    asked = words;
    std::optional<net::TlsSession> out;
    out.swap(session);
    return out;
  }
  void keep(const std::string& /*words*/, net::TlsSession kept) override {
    session.emplace(std::move(kept));
  }
  std::optional<net::TlsSession> session{};
  std::string asked{};
};

// One server that resumes sessions, many connections.
struct ResumingServer {
  explicit ResumingServer(const Identity& identity, int tickets_when_resumed = 1)
      : context(SSL_CTX_new(TLS_server_method())), renewed(tickets_when_resumed) {
    SSL_CTX_use_certificate(context, identity.certificate);
    SSL_CTX_use_PrivateKey(context, identity.key);
    SSL_CTX_set_num_tickets(context, 1);
  }
  ~ResumingServer() { SSL_CTX_free(context); }
  // A whole connection; whether it was resumed.
  bool connect(net::TlsContext& client, net::TlsSessions& sessions) {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    bool reused = false;
    std::thread serving([this, &reused, fd = ends[1]] {
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, fd);
      if (renewed == 0) SSL_set_num_tickets(ssl, times == 0 ? 1 : 0);
      std::array<char, 8> into{};
      if (SSL_accept(ssl) == 1) SSL_read(ssl, into.data(), into.size());
      reused = SSL_session_reused(ssl) == 1;
      SSL_write(ssl, "word", 4);
      SSL_free(ssl);
      ERR_clear_error();
      close(fd);
    });
    {
      auto stream = net::start_tls(client, base::Fd(ends[0]), "mail.example", soon(),
                                   {&sessions, "these words"});
      std::array<char, 64> into{};
      CHECK(stream.ok());
      if (stream) {
        CHECK((*stream)->write("1", soon()).ok());
        CHECK((*stream)->read(into.data(), into.size(), soon()).value() == 4);
      }
    }
    serving.join();
    ++times;
    return reused;
  }
  SSL_CTX* context;
  int renewed;
  int times = 0;
};

}  // namespace

TEST_CASE("tls: a session is resumed, used once, and renewed no longer than an hour", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  auto context = net::make_tls_context({ca, {}});
  REQUIRE(context.ok());
  ResumingServer server(good);
  Shelf shelf;
  CHECK_FALSE(server.connect(**context, shelf));
  CHECK(shelf.asked == "these words");
  REQUIRE(shelf.session.has_value());
  const std::int64_t expires = shelf.session->expires_s;
  CHECK(expires <= base::wall_seconds() + 3600);
  CHECK(expires > base::wall_seconds() + 3500);
  const std::string first(shelf.session->bytes.reveal());
  // As if it had been verified half an hour ago: the renewed one gets no more time than that.
  shelf.session->verified_s -= 1800;
  shelf.session->expires_s -= 1800;
  CHECK(server.connect(**context, shelf));
  REQUIRE(shelf.session.has_value());
  CHECK(first != shelf.session->bytes.reveal());
  CHECK(shelf.session->expires_s == expires - 1800);
}

TEST_CASE("tls: a session that the server does not replace is kept", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  auto context = net::make_tls_context({ca, {}});
  ResumingServer server(good, 0);
  Shelf shelf;
  CHECK_FALSE(server.connect(**context, shelf));
  CHECK(server.connect(**context, shelf));
  CHECK(server.connect(**context, shelf));
}

TEST_CASE("tls: an old, a future, a broken session is not offered", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  auto context = net::make_tls_context({ca, {}});
  ResumingServer server(good);
  Shelf shelf;
  CHECK_FALSE(server.connect(**context, shelf));
  REQUIRE(shelf.session.has_value());
  SECTION("expired") {
    shelf.session->expires_s = base::wall_seconds();
  }
  SECTION("verified tomorrow") {
    shelf.session->verified_s += 86'400;
    shelf.session->expires_s += 86'400;
  }
  SECTION("living too long") {
    shelf.session->expires_s += 7200;
  }
  SECTION("broken") {
    shelf.session->bytes = base::Secret("no session");
  }
  CHECK_FALSE(server.connect(**context, shelf));
}

TEST_CASE("tls: a session never outlives the certificate", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  Wish wish;
  wish.to_s = 600;
  const Identity good = make(wish, &authority());
  auto context = net::make_tls_context({ca, {}});
  ResumingServer server(good);
  Shelf shelf;
  CHECK_FALSE(server.connect(**context, shelf));
  REQUIRE(shelf.session.has_value());
  CHECK(shelf.session->expires_s <= base::wall_seconds() + 600);
}

TEST_CASE("tls: the words of a trust change with its file", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const std::string before = net::trust_words({ca, {}});
  CHECK(before == net::trust_words({ca, {}}));
  CHECK(before != net::trust_words({ca, ca}));
  CHECK(before != net::trust_words({}));
  folder.put("ca.pem", &authority(), true);
  CHECK(before != net::trust_words({ca, {}}));
}

TEST_CASE("tls: P12 an end without close_notify is an error", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  TlsServer server(good, [](SSL* ssl) { SSL_write(ssl, "x", 1); });
  auto context = net::make_tls_context({ca, {}});
  auto stream = net::start_tls(**context, std::move(server.client), "mail.example", soon());
  REQUIRE(stream.ok());
  std::array<char, 64> into{};
  CHECK((*stream)->read(into.data(), into.size(), soon()).value() == 1);
  const auto end = (*stream)->read(into.data(), into.size(), soon());
  REQUIRE_FALSE(end.ok());
  CHECK(end.error().cause == "connection cut off");
}

TEST_CASE("tls: a megabyte goes through in both directions", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  std::size_t total = 0;
  TlsServer server(good, [&total](SSL* ssl) {
    std::array<char, 8192> into{};
    while (total < 1'000'000) {
      const int got = SSL_read(ssl, into.data(), into.size());
      if (got <= 0) return;
      total += static_cast<std::size_t>(got);
    }
    SSL_write(ssl, "done", 4);
    SSL_shutdown(ssl);
  });
  auto context = net::make_tls_context({ca, {}});
  auto stream = net::start_tls(**context, std::move(server.client), "mail.example", soon());
  REQUIRE(stream.ok());
  CHECK((*stream)->write(std::string(1'000'000, 'x'), soon()).ok());
  std::array<char, 64> into{};
  CHECK((*stream)->read(into.data(), into.size(), soon()).value() == 4);
  CHECK(total == 1'000'000);
}

TEST_CASE("tls: P9 an expired certificate, and one of tomorrow, are told with their dates",
          "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  Wish old;
  old.from_s = -200'000;
  old.to_s = -100'000;
  const base::Error expired = refusal(make(old, &authority()), "mail.example", ca);
  CHECK(expired.fault == base::Fault::unavailable);
  CHECK(expired.cause.rfind("certificate of mail.example expired on 20", 0) == 0);
  CHECK(expired.cause.size() ==
        std::string("certificate of mail.example expired on 2026-01-02").size());
  Wish young;
  young.from_s = 100'000;
  young.to_s = 200'000;
  const base::Error early = refusal(make(young, &authority()), "mail.example", ca);
  CHECK(early.cause.rfind("certificate of mail.example is not valid before 20", 0) == 0);
}

TEST_CASE("tls: P9 a certificate for other names tells them", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  Wish other;
  other.alternatives = "DNS:a.example,DNS:b.example,IP:192.0.2.1";
  const base::Error error = refusal(make(other, &authority()), "mail.example", ca);
  CHECK(error.fault == base::Fault::unavailable);
  CHECK(error.cause ==
        "certificate of mail.example is for a.example, b.example, 192.0.2.1, not mail.example");
  // The common name counts for nothing when there are alternative names.
  CHECK(refusal(make(other, &authority()), "b.example", ca).fault == base::Fault::bug);
}

TEST_CASE("tls: P9 wildcards cover one whole label only", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  Wish wild;
  wild.alternatives = "DNS:*.mail.example,DNS:sm*.other.example";
  const Identity identity = make(wild, &authority());
  CHECK(refusal(identity, "smtp.mail.example", ca).cause.empty());
  CHECK_FALSE(refusal(identity, "a.b.mail.example", ca).cause.empty());
  CHECK_FALSE(refusal(identity, "mail.example", ca).cause.empty());
  CHECK_FALSE(refusal(identity, "smtp.other.example", ca).cause.empty());
}

TEST_CASE("tls: P9 an address is matched as an address, and not named to the server", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  Wish numbers;
  numbers.alternatives = "IP:127.0.0.1,IP:::1,DNS:192.0.2.7";
  const Identity identity = make(numbers, &authority());
  for (const std::string name : {"127.0.0.1", "::1", "[::1]"}) {
    INFO(name);
    CHECK(refusal(identity, name, ca).cause.empty());
  }
  CHECK_FALSE(refusal(identity, "192.0.2.7", ca).cause.empty());
  TlsServer server(identity, keep_still);
  auto context = net::make_tls_context({ca, {}});
  { auto stream = net::start_tls(**context, std::move(server.client), "127.0.0.1", soon()); }
  server.client.reset();
  CHECK(server.asked_for.empty());
}

TEST_CASE("tls: P9 self-signed and unknown issuers are named", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const base::Error self = refusal(make({}, nullptr), "mail.example", ca);
  CHECK(self.fault == base::Fault::unavailable);
  CHECK(self.cause ==
        "certificate of mail.example is self-signed (mail.example), which is not trusted here");
  Wish stranger;
  stranger.name = "Stranger";
  stranger.authority = true;
  const Identity other = make(stranger, nullptr);
  const base::Error unknown = refusal(make({}, &other), "mail.example", ca);
  CHECK(unknown.cause ==
        "certificate of mail.example is issued by Stranger, which is not trusted here");
  // The system's own trust does not know the test authority.
  const base::Error system = refusal(make({}, &authority()), "mail.example", "");
  CHECK(system.cause.find("issued by Test Authority") != std::string::npos);
}

TEST_CASE("tls: hostile names in a certificate are cleaned", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  Wish evil;
  evil.name = "evil\x1b[31m\nname";
  const Identity other = make(evil, nullptr);
  const base::Error error = refusal(make({}, &other), "mail.example", ca);
  CHECK(error.cause.find('\x1b') == std::string::npos);
  CHECK(error.cause.find('\n') == std::string::npos);
}

TEST_CASE("tls: P9 old protocols and weak keys are refused", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  const base::Error old = refusal(good, "mail.example", ca, TLS1_1_VERSION);
  CHECK(old.fault == base::Fault::unavailable);
  CHECK(old.cause.rfind("TLS with mail.example failed (", 0) == 0);
  CHECK(refusal(good, "mail.example", ca, TLS1_2_VERSION).cause.empty());
  Wish weak;
  weak.bits = 1024;
  CHECK_FALSE(refusal(make(weak, &authority()), "mail.example", ca).cause.empty());
  Wish sha1;
  sha1.digest = EVP_sha1();
  CHECK_FALSE(refusal(make(sha1, &authority()), "mail.example", ca).cause.empty());
}

TEST_CASE("tls: a server that speaks plaintext, closes or hangs", "[net]") {
  auto context = net::make_tls_context({});
  REQUIRE(context.ok());
  const auto against = [&](const std::string& bytes, bool closes) {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    base::Fd server(ends[1]);
    REQUIRE(write(server.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    if (closes) shutdown(server.get(), SHUT_WR);
    auto stream =
        net::start_tls(**context, base::Fd(ends[0]), "mail.example", Deadline::after_ms(300));
    REQUIRE_FALSE(stream.ok());
    CHECK(stream.error().fault == base::Fault::unavailable);
    return stream.error().cause;
  };
  CHECK(against("220 mail.example ESMTP\r\n", false).find("does not speak TLS") !=
        std::string::npos);
  CHECK(against("", false) == "TLS with mail.example failed (timed out)");
  CHECK(against("", true).rfind("TLS with mail.example failed (connection", 0) == 0);
}

TEST_CASE("tls: a client certificate is shown, with its key from the same file", "[net]") {
  Folder folder;
  const std::string ca = folder.put("ca.pem", &authority());
  const Identity good = make({}, &authority());
  Wish wish;
  wish.name = "client";
  const Identity client = make(wish, &authority());
  const std::string file = folder.put("client.pem", &client, true);
  TlsServer server(
      good,
      [](SSL* ssl) {
        SSL_write(ssl, "y", 1);
        SSL_shutdown(ssl);
      },
      0, true);
  auto context = net::make_tls_context({ca, file});
  REQUIRE(context.ok());
  auto stream = net::start_tls(**context, std::move(server.client), "mail.example", soon());
  REQUIRE(stream.ok());
  char byte = 0;
  CHECK((*stream)->read(&byte, 1, soon()).value() == 1);
}

TEST_CASE("tls: files of trust and identity are judged", "[net]") {
  Folder folder;
  const Identity client = make({}, &authority());
  const auto fault_of = [](const net::TlsTrust& trust) {
    auto context = net::make_tls_context(trust);
    REQUIRE_FALSE(context.ok());
    return context.error().fault;
  };
  CHECK(fault_of({folder.path + "/missing.pem", {}}) == base::Fault::config);
  CHECK(fault_of({folder.put("empty.pem", nullptr), {}}) == base::Fault::config);
  const std::string open = folder.put("open.pem", &authority());
  chmod(open.c_str(), 0666);
  CHECK(fault_of({open, {}}) == base::Fault::config);
  CHECK(fault_of({{}, folder.put("no-key.pem", &client)}) == base::Fault::config);
  const std::string readable = folder.put("readable.pem", &client, true);
  chmod(readable.c_str(), 0644);
  CHECK(fault_of({{}, readable}) == base::Fault::config);
}
