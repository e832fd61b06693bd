#include "net/http_curl.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "base/clock.h"
#include "catch.h"
#include "https_server.h"

namespace {

using script::fixed;
using script::HttpsServer;
using script::say;

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

TEST_CASE("http: a GET has no body, and a key of Basic goes with one request only", "[net]") {
  std::string seen;
  HttpsServer server([&seen](const std::string& request, SSL* tls) {
    seen = request;
    say(tls,
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=/x/y.key\r\nContent-Length: 0\r\n\r\n");
  });
  net::CurlClient client;
  net::HttpRequest request = request_to(server);
  request.method = "GET";
  request.basic = base::Secret("raw-key");
  request.headers = {"Metadata: true"};
  auto answer = client.post(request);
  REQUIRE(answer.ok());
  CHECK(answer->authenticate == "Basic realm=/x/y.key");
  CHECK(seen.rfind("GET /token HTTP/1.1\r\n", 0) == 0);
  CHECK(seen.find("Authorization: Basic raw-key\r\n") != std::string::npos);
  CHECK(seen.find("Metadata: true\r\n") != std::string::npos);
  CHECK(seen.find("Content-") == std::string::npos);
  CHECK(seen.find("grant_type") == std::string::npos);
  CHECK(client.post(request_to(server)).ok());
  CHECK(seen.find("raw-key") == std::string::npos);
  CHECK(seen.rfind("POST ", 0) == 0);
}

TEST_CASE("http: in the clear only to this machine, and to the metadata service on purpose",
          "[net]") {
  CHECK(net::is_metadata_service("http://169.254.169.254/metadata"));
  for (const char* url :
       {"http://169.254.169.254", "http://169.254.169.254:80/", "http://169.254.169.254@x/",
        "http://169.254.169.254.x/", "http://169.254.169.253/", "https://169.254.169.254/"}) {
    INFO(url);
    CHECK_FALSE(net::is_metadata_service(url));
  }
  net::CurlClient client;
  net::HttpRequest request;
  request.method = "GET";
  request.timeout_s = 1;
  for (const char* url : {"http://192.0.2.1/", "http://169.254.169.254/"}) {
    request.url = url;
    request.metadata_service = std::string(url).find("192") != std::string::npos;
    auto answer = client.post(request);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().cause.find("timed out") == std::string::npos);
  }
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

TEST_CASE("http: a streamed body is sent once, with its length, and as it is read", "[net]") {
  std::string seen;
  HttpsServer server([&seen](const std::string& request, SSL* tls) {
    seen = request;
    say(tls, "HTTP/1.1 202 Accepted\r\nrequest-id: abc\r\nContent-Length: 0\r\n\r\n");
  });
  net::CurlClient client;
  net::HttpRequest request = request_to(server);
  request.http2 = true;
  std::size_t given = 0;
  request.streamed_bytes = 300'000;
  request.streamed = [&given](char* into, std::size_t room) -> base::Result<std::size_t> {
    const std::size_t count = std::min<std::size_t>({room, 7001, 300'000 - given});
    std::fill_n(into, count, 'x');
    given += count;
    return count;
  };
  auto answer = client.post(request);
  REQUIRE(answer.ok());
  CHECK(answer->status == 202);
  CHECK(answer->request_id == "abc");
  CHECK(answer->request_whole);
  CHECK(seen.find("Content-Length: 300000\r\n") != std::string::npos);
  CHECK(seen.size() - seen.find("\r\n\r\n") - 4 == 300'000);
  CHECK(server.connections == 1);
}

TEST_CASE("http: a streamed body that cannot be read is our error", "[net]") {
  HttpsServer server(fixed("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
  net::CurlClient client;
  net::HttpRequest request = request_to(server);
  request.streamed_bytes = 10;
  request.streamed = [](char*, std::size_t) -> base::Result<std::size_t> {
    return base::failure(base::Fault::io, "cannot read the message");
  };
  CHECK(client.post(request).error().fault == base::Fault::io);
}

namespace {

// Takes one request and answers it, takes another one whole on the same connection and ends that.
HttpsServer::Script answers_once(std::atomic<int>& requests) {
  return [&requests](const std::string&, SSL* tls) {
    if (++requests > 1) return;
    say(tls, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    std::string second;
    std::array<char, 4096> buffer{};
    while (!second.ends_with("\r\n\r\nmessage")) {
      const int got = SSL_read(tls, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) return;
      second.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ++requests;
  };
}

}  // namespace

TEST_CASE("G2: a request that a kept connection took and never answered is unknown", "[net]") {
  std::atomic<int> requests{0};
  HttpsServer server(answers_once(requests));
  net::CurlClient client;
  const auto post = [&](bool new_connection) {
    net::HttpRequest request = request_to(server);
    const auto left = std::make_shared<std::string>("message");
    request.streamed_bytes = left->size();
    request.streamed = [left](char* into, std::size_t room) -> base::Result<std::size_t> {
      const std::size_t count = left->copy(into, room);
      left->erase(0, count);
      return count;
    };
    request.new_connection = new_connection;
    return client.post(request);
  };
  REQUIRE(post(false).ok());
  CHECK(post(false).error().fault == base::Fault::outcome_unknown);
  CHECK(requests == 2);
}

TEST_CASE("http: a request without a body is made once on a connection of its own", "[net]") {
  std::atomic<int> requests{0};
  HttpsServer server([&requests](const std::string&, SSL* tls) {
    if (++requests == 1) say(tls, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  });
  net::CurlClient client;
  net::HttpRequest request = request_to(server);
  request.streamed = [](char*, std::size_t) { return std::size_t{0}; };
  request.new_connection = true;
  CHECK(client.post(request)->status == 202);
  CHECK(client.post(request).error().fault == base::Fault::outcome_unknown);
  CHECK(requests == 2);
  request.url = "https://127.0.0.1:1/";
  CHECK(client.post(request).error().fault == base::Fault::unavailable);
}

TEST_CASE("http: PUT, GET and DELETE", "[net]") {
  std::string seen;
  HttpsServer server([&seen](const std::string& request, SSL* tls) {
    seen = request;
    say(tls, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  net::CurlClient client;
  net::HttpRequest request = request_to(server);
  request.method = "PUT";
  request.headers = {"Content-Range: bytes 0-11/12"};
  CHECK(client.post(request)->status == 200);
  CHECK(seen.rfind("PUT /token HTTP/1.1\r\n", 0) == 0);
  CHECK(seen.find("\r\nContent-Range: bytes 0-11/12\r\n") != std::string::npos);
  CHECK(seen.ends_with("\r\n\r\ngrant_type=x"));
}

TEST_CASE("http: what a request asks for limits its answer", "[net]") {
  const std::string body(2'000'000, 'x');
  HttpsServer server(fixed("HTTP/1.1 201 Created\r\nContent-Length: 2000000\r\n\r\n" + body));
  net::CurlClient client;
  net::HttpRequest request = request_to(server);
  CHECK_FALSE(client.post(request).ok());
  request.answer_limit_bytes = std::size_t{8} * 1024 * 1024;
  CHECK(client.post(request)->body.size() == body.size());
}

TEST_CASE("http: where a URL leads", "[net]") {
  const net::Origin origin = net::origin_of("HTTPS://Outlook.Office.com/api?authtoken=x");
  CHECK(origin.scheme == "https");
  CHECK(origin.host == "outlook.office.com");
  CHECK(origin.port == "443");
  CHECK(net::origin_of("https://a.example:444/").port == "444");
  for (const char* url : {"", "outlook", "https://", "https://outlook.office.com@evil.example/",
                          "https://a b.example/", "https://me:x@a.example/"}) {
    INFO(url);
    CHECK((net::origin_of(url).host.empty() || net::origin_of(url).scheme != "https"));
  }
}
