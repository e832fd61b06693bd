// A scripted HTTPS server on the loopback, with a certificate of its own.
#pragma once

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/file.h"
#include "catch.h"

namespace script {

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
  std::atomic<std::size_t> reset_after{0};  // bytes of a request; 0: never

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

  std::string read_request(SSL* tls) const {
    std::string request;
    std::array<char, 4096> buffer{};
    for (;;) {
      const std::size_t head = request.find("\r\n\r\n");
      const std::size_t length = request.find("Content-Length: ");
      const bool bodiless = request.rfind("GET ", 0) == 0 || request.rfind("DELETE ", 0) == 0;
      if (head != std::string::npos && bodiless) return request;
      if (head != std::string::npos && length != std::string::npos &&
          request.size() >= head + 4 + std::strtoul(request.c_str() + length + 16, nullptr, 10)) {
        return request;
      }
      const int got = SSL_read(tls, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) return {};
      request.append(buffer.data(), static_cast<std::size_t>(got));
      if (reset_after != 0 && request.size() >= reset_after) {
        const linger now{1, 0};
        setsockopt(SSL_get_fd(tls), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        return {};
      }
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

inline void say(SSL* tls, const std::string& bytes) {
  SSL_write(tls, bytes.data(), static_cast<int>(bytes.size()));
}

inline HttpsServer::Script fixed(const std::string& bytes) {
  return [bytes](const std::string&, SSL* tls) { say(tls, bytes); };
}

}  // namespace script
