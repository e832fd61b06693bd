#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/text.h"
#include "net/tls_certificate.h"

namespace net {

namespace {

constexpr std::size_t ca_file_limit = std::size_t{4} * 1024 * 1024;
constexpr std::size_t name_limit = 100;
constexpr std::size_t client_certificate_limit = std::size_t{256} * 1024;

template <typename T, void (*drop)(T*)>
struct Drop {
  void operator()(T* thing) const { drop(thing); }
};
void drop_bio(BIO* bio) {
  BIO_free(bio);
}
using Bio = std::unique_ptr<BIO, Drop<BIO, drop_bio>>;
using Certificate = std::unique_ptr<X509, Drop<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Drop<EVP_PKEY, EVP_PKEY_free>>;
using Session = std::unique_ptr<SSL, Drop<SSL, SSL_free>>;
using Context = std::unique_ptr<SSL_CTX, Drop<SSL_CTX, SSL_CTX_free>>;

int on_verify(int good, X509_STORE_CTX* chain) {
  if (good == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* verdict = static_cast<CertificateVerdict*>(SSL_get_ex_data(ssl, 0));
  const X509* certificate = X509_STORE_CTX_get_current_cert(chain);
  if (verdict != nullptr && certificate != nullptr && verdict->cause.empty()) {
    judge_certificate(*verdict, certificate, X509_STORE_CTX_get_error(chain),
                      X509_STORE_CTX_get_error_depth(chain));
  }
  return 0;
}

// --- Trust and identity.

base::Error openssl_refuses(const std::string& doing) {
  ERR_clear_error();
  return base::failure(base::Fault::bug, "OpenSSL cannot " + doing);
}

int no_passphrase(char*, int, int, void*) {
  return 0;  // never ask at a terminal
}

Bio memory_of(const base::Secret& bytes) {
  if (bytes.empty()) return Bio(BIO_new_mem_buf("", 0));
  return Bio(BIO_new_mem_buf(bytes.reveal().data(), static_cast<int>(bytes.size())));
}

base::Result<Bio> open_pem(const std::string& path, std::size_t limit, bool private_too,
                           base::Secret& bytes) {
  base::Result<base::Fd> file = base::open_trusted(path, private_too);
  if (!file) return std::move(file).error();
  base::Result<base::Secret> read = base::read_secret(file->get(), limit, path);
  if (!read) return std::move(read).error();
  bytes = std::move(*read);
  Bio bio = memory_of(bytes);
  if (!bio) return openssl_refuses("read " + path);
  return bio;
}

Certificate next_certificate(BIO* pem) {
  Certificate out(PEM_read_bio_X509(pem, nullptr, no_passphrase, nullptr));
  ERR_clear_error();  // the end of the file is an error to OpenSSL
  return out;
}

base::Done trust_file(SSL_CTX* context, const std::string& path) {
  base::Secret bytes;
  base::Result<Bio> pem = open_pem(path, ca_file_limit, false, bytes);
  if (!pem) return std::move(pem).error();
  std::size_t found = 0;
  while (const Certificate certificate = next_certificate(pem->get())) {
    // It takes a reference of its own; one that is there already is fine.
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    ++found;
  }
  ERR_clear_error();
  if (found > 0) return base::done();
  return base::failure(base::Fault::config, "ca_file " + path + " holds no certificate",
                       "put PEM certificates in it");
}

// The hashed directory and nothing else: the bundle would be parsed whole at every start.
base::Done trust_system(SSL_CTX* context) {
  X509_LOOKUP* folder =
      X509_STORE_add_lookup(SSL_CTX_get_cert_store(context), X509_LOOKUP_hash_dir());
  if (folder == nullptr || X509_LOOKUP_add_dir(folder, system_trust, X509_FILETYPE_PEM) != 1) {
    return openssl_refuses(std::string("use ") + system_trust);
  }
  return base::done();
}

base::Done present_certificate(SSL_CTX* context, const std::string& path) {
  const base::Error unusable = base::failure(
      base::Fault::config, "tls_client_certificate " + path + " holds no certificate with its key",
      "put the PEM certificate chain and the unencrypted key in it");
  base::Secret bytes;
  base::Result<Bio> pem = open_pem(path, client_certificate_limit, true, bytes);
  if (!pem) return std::move(pem).error();
  const Certificate leaf = next_certificate(pem->get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return unusable;
  while (const Certificate issuer = next_certificate(pem->get())) {
    SSL_CTX_add1_chain_cert(context, issuer.get());
  }
  const Bio again = memory_of(bytes);
  const Key key(PEM_read_bio_PrivateKey(again.get(), nullptr, no_passphrase, nullptr));
  const bool fits = key && SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
                    SSL_CTX_check_private_key(context) == 1;
  ERR_clear_error();
  if (!fits) return unusable;
  return base::done();
}

}  // namespace

class TlsContext {
 public:
  explicit TlsContext(Context context) : context_(std::move(context)) {}
  SSL_CTX* get() const { return context_.get(); }

 private:
  Context context_;
};

namespace {

// --- A connection.

base::Error late() {
  base::Error error = base::failure(base::Fault::unavailable, "timed out");
  error.sys = ETIMEDOUT;
  return error;
}

base::Error cut(const std::string& cause) {
  base::Error error = base::failure(base::Fault::unavailable, cause);
  error.sys = ECONNRESET;
  return error;
}

// The reason that OpenSSL noted, in words that help.
std::string noted_reason() {
  const unsigned long noted = ERR_peek_error();
  if (ERR_GET_LIB(noted) == ERR_LIB_SSL && ERR_GET_REASON(noted) == SSL_R_WRONG_VERSION_NUMBER) {
    return "the server does not speak TLS here; check the port and smtp_tls";
  }
  const char* words = ERR_reason_error_string(noted);
  return words != nullptr ? words : "protocol error";
}

class TlsStream : public Stream {
 public:
  TlsStream(base::Fd socket, Session session)
      : socket_(std::move(socket)), session_(std::move(session)) {}
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override {
    // One try: the peer need not answer.
    if (!broken_ && SSL_is_init_finished(session_.get()) == 1) SSL_shutdown(session_.get());
    ERR_clear_error();
  }

  SSL* session() const { return session_.get(); }

  base::Done shake_hands(base::Deadline deadline) {
    return repeat(deadline, [this] { return SSL_connect(session_.get()); });
  }

  base::Result<std::size_t> read(char* into, std::size_t count, base::Deadline deadline) override {
    std::size_t got = 0;
    base::Done finished =
        repeat(deadline, [&] { return SSL_read_ex(session_.get(), into, count, &got); });
    if (!finished) return std::move(finished).error();
    return got;  // 0: the peer said close_notify
  }

  // The socket alone cannot tell: tickets and key updates make it readable without a word said.
  base::Result<bool> has_input() override {
    char one = 0;
    std::size_t got = 0;
    ERR_clear_error();
    errno = 0;
    const int answer = SSL_peek_ex(session_.get(), &one, 1, &got);
    if (answer > 0) return true;
    const int why = SSL_get_error(session_.get(), answer);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
    if (why == SSL_ERROR_ZERO_RETURN) return true;
    return give_up(why, errno);
  }

  base::Done write(std::string_view bytes, base::Deadline deadline) override {
    while (!bytes.empty()) {
      std::size_t put = 0;
      base::Done finished = repeat(
          deadline, [&] { return SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &put); });
      if (!finished) return finished;
      if (put == 0) return cut("connection closed");
      bytes.remove_prefix(put);
      if (!bytes.empty() && deadline.passed()) return late();
    }
    return base::done();
  }

  bool encrypted() const override { return true; }

 private:
  // One operation of OpenSSL until it is through: waits whenever it needs the socket.
  template <typename Operation>
  base::Done repeat(base::Deadline deadline, Operation operation) {
    for (;;) {
      ERR_clear_error();
      errno = 0;
      const int answer = operation();
      if (answer > 0) return base::done();
      const int why = SSL_get_error(session_.get(), answer);
      if (why == SSL_ERROR_ZERO_RETURN) return base::done();
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return give_up(why, errno);
      base::Done ready = wait(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
      if (!ready) return ready;
    }
  }

  base::Done wait(short what, base::Deadline deadline) const {
    for (;;) {
      pollfd one{socket_.get(), what, 0};
      const int ready = poll(&one, 1, deadline.left_ms());
      if (ready > 0) {
        // Bytes that never make a whole record must not keep us past the deadline.
        if (deadline.passed()) return late();
        return base::done();
      }
      if (ready == 0 && deadline.passed()) return late();
      if (ready < 0 && errno != EINTR) return cut("network error");
    }
  }

  base::Error give_up(int why, int sys) {
    broken_ = true;
    if (why == SSL_ERROR_SYSCALL) {
      if (sys == 0 || sys == ECONNRESET || sys == EPIPE) return cut("connection closed");
      return base::failure_errno(base::Fault::unavailable, "network error", sys);
    }
    // Without close_notify anybody on the way may have ended the connection.
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      return cut("connection cut off");
    }
    return base::failure(base::Fault::unavailable, noted_reason());
  }

  base::Fd socket_;  // before the session: closed after it
  Session session_;
  bool broken_ = false;
};

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// The name that the certificate must bear, and that the server is told (RFC 6066 3: never an
// address).
bool expect_name(SSL* session, const std::string& name) {
  if (is_address(name)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name.c_str()) == 1;
  }
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(session, name.c_str()) == 1 &&
         SSL_set_tlsext_host_name(session, name.c_str()) == 1;
}

std::string certifiable(std::string name) {
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    return name.substr(1, name.size() - 2);
  }
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  return name;
}

}  // namespace

base::Result<std::shared_ptr<TlsContext>> make_tls_context(const TlsTrust& trust) {
  // OPENSSL_CONF and openssl.cnf could load code and weaken TLS: neither is read.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return openssl_refuses("make a TLS context");
  SSL_CTX* raw = context.get();
  if (SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1) {
    return openssl_refuses("ask for TLS 1.2");
  }
  SSL_CTX_set_security_level(raw, 2);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, on_verify);
  base::Done trusted = trust.ca_file.empty() ? trust_system(raw) : trust_file(raw, trust.ca_file);
  if (!trusted) return std::move(trusted).error();
  if (!trust.client_certificate.empty()) {
    base::Done presented = present_certificate(raw, trust.client_certificate);
    if (!presented) return std::move(presented).error();
  }
  return std::make_shared<TlsContext>(std::move(context));
}

base::Result<std::unique_ptr<Stream>> start_tls(TlsContext& context, base::Fd socket,
                                                const std::string& server_name,
                                                base::Deadline deadline) {
  const std::string name = certifiable(server_name);
  CertificateVerdict verdict;
  verdict.server = base::clean(name, name_limit);
  // The socket is made non-blocking by a stream that only passes it on.
  socket = FdStream(std::move(socket)).take_socket();
  Session session(SSL_new(context.get()));
  if (!session || SSL_set_fd(session.get(), socket.get()) != 1 ||
      SSL_set_ex_data(session.get(), 0, &verdict) != 1 || !expect_name(session.get(), name)) {
    return openssl_refuses("prepare a TLS connection to " + verdict.server);
  }
  auto stream = std::make_unique<TlsStream>(std::move(socket), std::move(session));
  SSL* raw = stream->session();
  base::Done shaken = stream->shake_hands(deadline);
  SSL_set_ex_data(raw, 0, nullptr);
  if (shaken && SSL_get_verify_result(raw) == X509_V_OK) {
    return std::unique_ptr<Stream>(std::move(stream));
  }
  if (!verdict.cause.empty()) {
    return base::failure(base::Fault::unavailable, verdict.cause, verdict.cure);
  }
  const std::string reason = shaken ? "certificate not verified" : shaken.error().cause;
  base::Error error =
      base::failure(base::Fault::unavailable,
                    "TLS with " + verdict.server + " failed (" + reason + ")", "try again");
  if (!shaken) error.sys = shaken.error().sys;
  return error;
}

}  // namespace net
