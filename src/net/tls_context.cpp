#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "base/crypto_library.h"
#include "base/file.h"
#include "base/secret.h"
#include "net/tls.h"
#include "net/tls_certificate.h"
#include "net/tls_openssl.h"
#include "net/tls_stream.h"

namespace net {

namespace {

constexpr std::size_t ca_file_limit = std::size_t{4} * 1024 * 1024;
constexpr std::size_t client_certificate_limit = std::size_t{256} * 1024;

int on_verify(int good, X509_STORE_CTX* chain) {
  if (good == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* notes = static_cast<TlsNotes*>(SSL_get_app_data(ssl));
  const X509* certificate = X509_STORE_CTX_get_current_cert(chain);
  if (notes != nullptr && certificate != nullptr && notes->verdict.cause.empty()) {
    judge_certificate(notes->verdict, certificate, X509_STORE_CTX_get_error(chain),
                      X509_STORE_CTX_get_error_depth(chain));
  }
  return 0;
}

// 1: the session is ours now.
int on_ticket(SSL* ssl, SSL_SESSION* session) {
  auto* notes = static_cast<TlsNotes*>(SSL_get_app_data(ssl));
  if (notes == nullptr) return 0;
  notes->newest.reset(session);
  return 1;
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

base::Done present_certificate(SSL_CTX* context, const std::string& key_name,
                               const std::string& path) {
  const base::Error unusable = base::failure(
      base::Fault::config, key_name + " " + path + " holds no certificate with its key",
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

namespace {

// What client and server have in common.
base::Result<SslContext> plain_context(const SSL_METHOD* method) {
  // OPENSSL_CONF and openssl.cnf could load code and weaken TLS: neither is read.
  if (!base::start_crypto() ||
      OPENSSL_init_ssl(
          OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS | OPENSSL_INIT_NO_ATEXIT,
          nullptr) != 1) {
    return openssl_refuses("start");
  }
  SslContext context(SSL_CTX_new(method));
  if (!context) return openssl_refuses("make a TLS context");
  SSL_CTX* raw = context.get();
  if (SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1) {
    return openssl_refuses("ask for TLS 1.2");
  }
  SSL_CTX_set_security_level(raw, 2);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  return context;
}

}  // namespace

base::Result<std::shared_ptr<TlsContext>> make_tls_server_context(const std::string& certificate) {
  base::Result<SslContext> made = plain_context(TLS_server_method());
  if (!made) return std::move(made).error();
  SSL_CTX_set_session_cache_mode(made->get(), SSL_SESS_CACHE_OFF);
  base::Done shown = present_certificate(made->get(), "listen_certificate", certificate);
  if (!shown) return std::move(shown).error();
  return std::make_shared<TlsContext>(std::move(*made));
}

base::Result<std::unique_ptr<Stream>> accept_tls(TlsContext& context, base::Fd socket,
                                                 base::Deadline deadline) {
  socket = FdStream(std::move(socket)).take_socket();
  auto stream = std::make_unique<TlsStream>(std::move(socket), Ssl(SSL_new(context.get())));
  if (!stream->ready()) return openssl_refuses("prepare a TLS connection");
  SSL_set_accept_state(stream->session());
  base::Done shaken = stream->shake_hands(deadline);
  if (!shaken) return std::move(shaken).error();
  return std::unique_ptr<Stream>(std::move(stream));
}

base::Result<std::shared_ptr<TlsContext>> make_tls_context(const TlsTrust& trust) {
  base::Result<SslContext> made = plain_context(TLS_client_method());
  if (!made) return std::move(made).error();
  SSL_CTX* raw = made->get();
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(raw, on_ticket);
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, on_verify);
  base::Done trusted = trust.ca_file.empty() ? trust_system(raw) : trust_file(raw, trust.ca_file);
  if (!trusted) return std::move(trusted).error();
  if (!trust.client_certificate.empty()) {
    base::Done presented =
        present_certificate(raw, "tls_client_certificate", trust.client_certificate);
    if (!presented) return std::move(presented).error();
  }
  return std::make_shared<TlsContext>(std::move(*made));
}

namespace {

std::string file_words(const std::string& path) {
  if (path.empty()) return "-";
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return path + " missing";
  return path + " " + std::to_string(facts.st_dev) + " " + std::to_string(facts.st_ino) + " " +
         std::to_string(facts.st_size) + " " + std::to_string(facts.st_ctim.tv_sec) + "." +
         std::to_string(facts.st_ctim.tv_nsec);
}

}  // namespace

std::string trust_words(const TlsTrust& trust) {
  const std::string ca = trust.ca_file.empty() ? system_trust : trust.ca_file;
  return file_words(ca) + "\n" + file_words(trust.client_certificate);
}

}  // namespace net
