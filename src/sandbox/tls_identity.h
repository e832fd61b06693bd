// tls_identity: an own certification authority and server certificates, made at start, in memory.
// No private key ever reaches a disk. Source: RFC 5280. Names: localhost, 127.0.0.1, ::1; valid for
// a week. Errors: Fault::bug when OpenSSL refuses.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

struct x509_st;
struct evp_pkey_st;
struct ssl_ctx_st;

namespace sandbox {

// Certificates that a client has to refuse (P9 of the facts), and the good one.
enum class CertificateKind : std::uint8_t { good, expired, not_yet_valid, wrong_name, self_signed };
bool parse_certificate_kind(const std::string& word, CertificateKind& kind);

class TlsIdentity {
 public:
  static base::Result<std::unique_ptr<TlsIdentity>> make();
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  const std::string& ca_pem() const { return ca_pem_; }
  x509_st* certificate() const;  // the good one; owned here
  evp_pkey_st* key() const;
  ssl_ctx_st* context(CertificateKind kind) const;  // TLS 1.2 and newer; safe to share

 private:
  struct Parts;
  TlsIdentity();
  base::Done fill();
  std::unique_ptr<Parts> parts_;
  std::string ca_pem_;
};

}  // namespace sandbox
