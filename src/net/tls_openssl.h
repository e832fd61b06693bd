// tls_openssl: owners of OpenSSL's things, for the files behind its door. Owns: each one thing.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/freed.h"

namespace net {

using Bio = std::unique_ptr<BIO, base::Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, base::Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, base::Freed<EVP_PKEY_free>>;
using Ssl = std::unique_ptr<SSL, base::Freed<SSL_free>>;
using SslSession = std::unique_ptr<SSL_SESSION, base::Freed<SSL_SESSION_free>>;
using SslContext = std::unique_ptr<SSL_CTX, base::Freed<SSL_CTX_free>>;

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
