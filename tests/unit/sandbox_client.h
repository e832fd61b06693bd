// A client for the sandbox's tests: raw TCP and TLS by OpenSSL, so that nothing of ours is between
// the test and the wire. Every wait ends after 20 seconds.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "base/seal.h"
#include "base/text.h"
#include "sandbox/sandbox.h"

namespace sandbox_test {

class Client {
 public:
  Client(std::uint16_t port, std::string ca_file) : ca_(std::move(ca_file)) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
  }
  ~Client() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    if (context_ != nullptr) SSL_CTX_free(context_);
    close(fd_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Verifies chain and address. verify_result() tells why not.
  bool start_tls() {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_load_verify_locations(context_, ca_.c_str(), nullptr);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    ssl_ = SSL_new(context_);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), "127.0.0.1");
    SSL_set_fd(ssl_, fd_);
    return connected_ && SSL_connect(ssl_) == 1;
  }
  long verify_result() const { return SSL_get_verify_result(ssl_); }

  bool send(std::string_view text) {
    while (!text.empty()) {
      const long put = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                       : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  // Some more bytes; false at the end.
  bool fill() {
    char bytes[16384];
    const long got =
        ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }
  // One whole reply, lines joined by LF; empty when the connection ended.
  std::string reply() {
    std::string out;
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end == std::string::npos) {
        if (!fill()) return {};
        continue;
      }
      const std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      out += (out.empty() ? "" : "\n") + line;
      if (line.size() < 4 || line[3] != '-') return out;
    }
  }
  std::string ask(const std::string& line) {
    if (!send(line + "\r\n")) return {};
    return reply();
  }
  std::string rest() {
    while (fill()) {
    }
    return buffer_;
  }

 private:
  std::string ca_;
  int fd_ = -1;
  bool connected_ = false;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  std::string buffer_;
};

// A sandbox in a folder of its own.
class Running {
 public:
  explicit Running(sandbox::Options options = {}) {
    char name[] = "/tmp/mailbearer-sandbox-XXXXXX";
    folder_ = mkdtemp(name);
    options.directory = folder_;
    base::Result<std::unique_ptr<sandbox::Sandbox>> started = sandbox::Sandbox::start(options);
    if (started) box = std::move(started).value();
  }
  ~Running() {
    box.reset();
    std::filesystem::remove_all(folder_);
  }
  std::unique_ptr<sandbox::Sandbox> box;
  const sandbox::Places& places() const { return box->places(); }
  std::string file(const std::string& name) const {
    std::ifstream in(folder_ + "/" + name, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  std::vector<std::string> mails() const {
    std::vector<std::string> names;
    for (const auto& one : std::filesystem::directory_iterator(folder_ + "/Maildir/new")) {
      names.push_back("Maildir/new/" + one.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::size_t unfinished() const {
    std::size_t count = 0;
    for (const auto& one : std::filesystem::directory_iterator(folder_ + "/Maildir/tmp")) {
      count += one.is_regular_file() ? 1 : 0;
    }
    return count;
  }
  sandbox::Json description() const { return sandbox::read_json(file("sandbox.json")); }

 private:
  std::string folder_;
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
  sandbox::Json json() const { return sandbox::read_json(body); }
};

inline Answer http(const Running& running, const std::string& method, const std::string& path,
                   const std::string& body = {}, const std::string& type = {},
                   const std::string& authorization = {}) {
  Client client(running.places().http_port, running.places().ca_file);
  Answer answer;
  if (!client.start_tls()) return answer;
  std::string request =
      method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
  if (!type.empty()) request += "Content-Type: " + type + "\r\n";
  if (!authorization.empty()) request += "Authorization: " + authorization + "\r\n";
  if (method == "POST") request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  client.send(request + "\r\n" + body);
  const std::string all = client.rest();
  const std::size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.head = all.substr(0, end + 2);
  answer.body = all.substr(end + 4);
  answer.status = std::atoi(all.substr(9, 3).c_str());
  return answer;
}

inline Answer post_form(const Running& running, const std::string& path,
                        const std::vector<std::pair<std::string, std::string>>& values) {
  std::string body;
  for (const auto& [name, value] : values) {
    body +=
        (body.empty() ? "" : "&") + base::percent_encode(name) + "=" + base::percent_encode(value);
  }
  return http(running, "POST", path, body, "application/x-www-form-urlencoded");
}

constexpr const char* token_path = "/sandbox.example/oauth2/v2.0/token";

inline Answer refresh(const Running& running, const std::string& token,
                      const std::string& scope = {}) {
  std::vector<std::pair<std::string, std::string>> values = {
      {"grant_type", "refresh_token"},
      {"client_id", "11111111-1111-4111-8111-111111111111"},
      {"refresh_token", token}};
  if (!scope.empty()) values.emplace_back("scope", scope);
  return post_form(running, token_path, values);
}

inline std::string first_refresh_token(const Running& running, std::size_t user = 0) {
  return running.description()["users"][user]["refresh_token"];
}

inline Answer control(const Running& running, const std::string& verb, const sandbox::Json& asked) {
  return http(running, "POST", "/control/" + verb, sandbox::write_json(asked), "application/json",
              "Bearer " + running.places().control_token);
}

inline std::string xoauth2(const std::string& user, const std::string& token) {
  return base::base64("user=" + user +
                      "\x01"
                      "auth=Bearer " +
                      token + "\x01\x01");
}

// A dialogue that has said EHLO inside TLS.
inline std::unique_ptr<Client> secured(const Running& running) {
  auto client = std::make_unique<Client>(running.places().smtp_port, running.places().ca_file);
  client->reply();
  client->ask("EHLO test.example");
  client->ask("STARTTLS");
  if (!client->start_tls()) return nullptr;
  client->ask("EHLO test.example");
  return client;
}

// A dialogue that has signed in as the first user.
inline std::unique_ptr<Client> signed_in(const Running& running) {
  const Answer answer = refresh(running, first_refresh_token(running));
  auto client = secured(running);
  client->ask("AUTH XOAUTH2 " + xoauth2("me@sandbox.example", answer.json()["access_token"]));
  return client;
}

}  // namespace sandbox_test
