// tls_openssl: owners of OpenSSL's things, for the files behind its door. Owns: each one thing.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <utility>

#include "base/error.h"

namespace net {

template <typename T, void (*drop)(T*)>
struct DropOpenssl {
  void operator()(T* thing) const { drop(thing); }
};
inline void drop_bio(BIO* bio) {
  BIO_free(bio);
}
using Bio = std::unique_ptr<BIO, DropOpenssl<BIO, drop_bio>>;
using Certificate = std::unique_ptr<X509, DropOpenssl<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, DropOpenssl<EVP_PKEY, EVP_PKEY_free>>;
using Ssl = std::unique_ptr<SSL, DropOpenssl<SSL, SSL_free>>;
using SslSession = std::unique_ptr<SSL_SESSION, DropOpenssl<SSL_SESSION, SSL_SESSION_free>>;
using SslContext = std::unique_ptr<SSL_CTX, DropOpenssl<SSL_CTX, SSL_CTX_free>>;

inline base::Error openssl_refuses(const std::string& doing) {
  ERR_clear_error();
  return base::failure(base::Fault::bug, "OpenSSL cannot " + doing);
}

class TlsContext {
 public:
  explicit TlsContext(SslContext context) : context_(std::move(context)) {}
  SSL_CTX* get() const { return context_.get(); }

 private:
  SslContext context_;
};

}  // namespace net
