#include "net/http_curl.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "catch.h"

namespace {

// One connection after the other: reads a request, writes what the script answers, closes.
class HttpsServer {
 public:
  using Script = std::function<void(const std::string& request, SSL* tls)>;
  explicit HttpsServer(Script script, const char* names = "DNS:localhost,IP:127.0.0.1")
      : script_(std::move(script)) {
    make_identity(names);
    listener_.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_.get(), 16) == 0);
    socklen_t size = sizeof address;
    REQUIRE(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpsServer() {
    stopping_ = true;
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    std::filesystem::remove(ca_file_);
    SSL_CTX_free(context_);
  }
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  std::string url(const std::string& host = "localhost") const {
    return "https://" + host + ":" + std::to_string(port_) + "/token";
  }
  const std::string& ca_file() const { return ca_file_; }
  int port() const { return port_; }
  std::atomic<int> connections{0};

 private:
  void make_identity(const char* names) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, key, EVP_sha256());
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    std::string pattern = std::filesystem::temp_directory_path() / "https-test-XXXXXX";
    const base::Fd file(mkstemp(pattern.data()));
    ca_file_ = pattern;
    BIO* out = BIO_new_fd(file.get(), BIO_NOCLOSE);
    PEM_write_bio_X509(out, certificate);
    BIO_free(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  void serve() {
    while (!stopping_) {
      const base::Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.open()) return;
      ++connections;
      SSL* tls = SSL_new(context_);
      SSL_set_fd(tls, client.get());
      if (SSL_accept(tls) == 1) {
        const std::string request = read_request(tls);
        if (!request.empty()) script_(request, tls);
        SSL_shutdown(tls);
      }
      SSL_free(tls);
    }
  }

  static std::string read_request(SSL* tls) {
    std::string request;
    std::array<char, 4096> buffer{};
    for (;;) {
      const std::size_t head = request.find("\r\n\r\n");
      const std::size_t length = request.find("Content-Length: ");
      if (head != std::string::npos && length != std::string::npos &&
          request.size() >= head + 4 + std::strtoul(request.c_str() + length + 16, nullptr, 10)) {
        return request;
      }
      const int got = SSL_read(tls, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) return {};
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }

  Script script_;
  base::Fd listener_;
  int port_ = 0;
  SSL_CTX* context_ = nullptr;
  std::string ca_file_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

void say(SSL* tls, const std::string& bytes) {
  SSL_write(tls, bytes.data(), static_cast<int>(bytes.size()));
}

HttpsServer::Script fixed(const std::string& bytes) {
  return [bytes](const std::string&, SSL* tls) { say(tls, bytes); };
}

net::HttpRequest request_to(const HttpsServer& server) {
  net::HttpRequest request;
  request.url = server.url();
  request.ca_file = server.ca_file();
  request.body = base::Secret("grant_type=x");
  request.timeout_s = 5;
  return request;
}

}  // namespace

TEST_CASE("http: a POST and its answer", "[net]") {
  std::string seen;
  HttpsServer server([&seen](const std::string& request, SSL* tls) {
    seen = request;
    say(tls,
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nRetry-After: 7\r\n"
        "Content-Length: 2\r\n\r\n{}");
  });
  net::CurlClient client;
  auto answer = client.post(request_to(server));
  REQUIRE(answer.ok());
  CHECK(answer->status == 400);
  CHECK(answer->content_type == "application/json");
  CHECK(answer->retry_after_s == 7);
  CHECK(answer->body.reveal() == "{}");
  CHECK(seen.rfind("POST /token HTTP/1.1\r\n", 0) == 0);
  CHECK(seen.find("\r\n\r\ngrant_type=x") != std::string::npos);
  CHECK(seen.find("Content-Type: application/x-www-form-urlencoded\r\n") != std::string::npos);
  CHECK(seen.find("Accept-Encoding") == std::string::npos);
  CHECK(seen.find("Expect") == std::string::npos);
  CHECK(seen.find("Authorization") == std::string::npos);
}

TEST_CASE("http: a bearer token goes into its header and not into the next request", "[net]") {
  std::string seen;
  HttpsServer server([&seen](const std::string& request, SSL* tls) {
    seen = request;
    say(tls, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  });
  net::CurlClient client;
  net::HttpRequest request = request_to(server);
  request.bearer = base::Secret("tok");
  CHECK(client.post(request)->status == 202);
  CHECK(seen.find("Authorization: Bearer tok\r\n") != std::string::npos);
  CHECK(client.post(request_to(server)).ok());
  CHECK(seen.find("tok\r\n") == std::string::npos);
}

TEST_CASE("T4: a redirect is an answer, never followed", "[net]") {
  HttpsServer other(fixed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  HttpsServer server(
      fixed("HTTP/1.1 307 Moved\r\nLocation: " + other.url() + "\r\nContent-Length: 0\r\n\r\n"));
  net::CurlClient client;
  CHECK(client.post(request_to(server))->status == 307);
  CHECK(other.connections == 0);
}

TEST_CASE("T4: more than 1 MiB is not read", "[net]") {
  HttpsServer server([](const std::string&, SSL* tls) {
    say(tls, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const std::string piece(16 * 1024, 'x');
    for (int i = 0; i < 6000; ++i) {
      if (SSL_write(tls, piece.data(), static_cast<int>(piece.size())) <= 0) return;
    }
  });
  net::CurlClient client;
  auto answer = client.post(request_to(server));
  CHECK(answer.error().fault == base::Fault::unavailable);
  CHECK(answer.error().cause ==
        "answer of localhost:" + std::to_string(server.port()) + " is over 1 MiB");
}

TEST_CASE("A8: a wrong issuer or a wrong name is never spoken to", "[net]") {
  std::atomic<int> requests{0};
  const auto count = [&requests](const std::string&, SSL*) { ++requests; };
  HttpsServer server(count);
  HttpsServer misnamed(count, "DNS:elsewhere.example.org");
  net::CurlClient client;
  net::HttpRequest unknown = request_to(server);
  unknown.ca_file.clear();
  auto refused = client.post(unknown);
  CHECK(refused.error().fault == base::Fault::unavailable);
  CHECK(refused.error().cause.rfind("TLS with localhost:", 0) == 0);
  CHECK(refused.error().cause.find("certificate") != std::string::npos);
  CHECK(client.post(request_to(misnamed))
            .error()
            .cause.find("no alternative certificate subject name") != std::string::npos);
  CHECK(requests == 0);
  net::HttpRequest absent = request_to(server);
  absent.ca_file = "/nonexistent/ca.pem";
  CHECK(client.post(absent).error().fault == base::Fault::config);
}

TEST_CASE("http: only https elsewhere, and no name that is not there", "[net]") {
  net::CurlClient client;
  net::HttpRequest request;
  for (const char* url :
       {"http://192.0.2.1/", "file:///etc/passwd", "ftp://127.0.0.1/x", "://", ""}) {
    INFO(url);
    request.url = url;
    CHECK(client.post(request).error().fault == base::Fault::config);
  }
  request.url = "https://127.0.0.1:1/";
  request.timeout_s = 5;
  auto closed = client.post(request);
  CHECK(closed.error().cause == "cannot reach 127.0.0.1:1 (Connection refused)");
  request.url = "https://name.invalid/";
  CHECK(client.post(request).error().cause == "cannot reach name.invalid (name not found)");
}

TEST_CASE("finding 13: a server that drips bytes meets the deadline", "[net]") {
  HttpsServer server([](const std::string&, SSL* tls) {
    for (const char c : std::string("HTTP/1.1 200 OK\r\nContent-Length: 2")) {
      if (SSL_write(tls, &c, 1) <= 0) return;
      usleep(100'000);
    }
  });
  net::CurlClient client;
  net::HttpRequest request = request_to(server);
  request.timeout_s = 1;
  const auto began = base::boot_ms();
  auto answer = client.post(request);
  CHECK(base::boot_ms() - began < 2500);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().cause.find("(timed out after 1 s)") != std::string::npos);
}

TEST_CASE("http: something that does not speak HTTP", "[net]") {
  HttpsServer server(fixed("220 smtp.example.org ESMTP\r\n"));
  net::CurlClient client;
  auto answer = client.post(request_to(server));
  CHECK(answer.error().fault == base::Fault::unavailable);
  CHECK(answer.error().cause.find("is not HTTP") != std::string::npos);
}

TEST_CASE("finding 12: proxy and key log variables have no effect", "[net]") {
  HttpsServer server(fixed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"}) {
    setenv(name, "http://127.0.0.1:1", 1);
  }
  net::CurlClient client;
  CHECK(client.post(request_to(server)).ok());
  net::HttpRequest proxied = request_to(server);
  proxied.proxy = "http://127.0.0.1:1";
  CHECK_FALSE(client.post(proxied).ok());
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"}) unsetenv(name);
}

TEST_CASE("T3: Retry-After in seconds, as a date, and as junk", "[net]") {
  constexpr std::int64_t now = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  const std::vector<std::pair<std::string, std::int64_t>> rows = {
      {"40", 40},
      {" 40 ", 40},
      {"0", 1},
      {"1000000000", 3600},
      {"99999999999999999999999", 3600},
      {"-5", 0},
      {"soon", 0},
      {"", 0},
      {"4.5", 0},
      {"12 monkeys", 0},
      {"Sun, 06 Nov 1994 08:50:37 GMT", 60},
      {"Sun, 06 Nov 1994 08:49:00 GMT", 1},
      {"Sunday, 06-Nov-94 08:50:37 GMT", 60},
      {"Sun Nov  6 08:50:37 1994", 60},
      {"Mon, 06 Nov 2034 08:49:37 GMT", 3600},
      {"Sun, 99 Foo 1994 08:50:37 GMT", 0},
  };
  for (const auto& [value, seconds] : rows) {
    INFO(value);
    CHECK(net::retry_after_seconds(value, now) == seconds);
  }
}

TEST_CASE("http: secrets travel by https, or to this very machine", "[net]") {
  for (const char* url : {"https://login.example/x", "http://127.0.0.1:80/t", "http://localhost/t",
                          "HTTP://[::1]:9/t", "http://127.0.0.1"}) {
    CHECK(net::secret_may_travel(url));
  }
  for (const char* url :
       {"http://login.example/x", "http://127.0.0.1.example/t", "http://localhost.example/t",
        "http://127.0.0.1:80@evil.example/t", "ftp://127.0.0.1/t", "", "http://127.0.0.2/t"}) {
    CHECK_FALSE(net::secret_may_travel(url));
  }
}
