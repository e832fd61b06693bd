// certificate: X.509 certificates and the private keys that sign for them, as PEM text: read, made,
// and used to sign a JWT. Source: RFC 5280; RFC 7468; RFC 7518 3.3 (RS256), 3.5 (PS256, the salt as
// long as the digest). Errors: Fault::config for text that holds none, a key that is not RSA of
// 2048 bits or more, a passphrase that is missing or wrong, a key of another certificate;
// Fault::bug when OpenSSL refuses. Needs Crypto::whole. Times are wall clock seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace base {

struct CertificateFacts {
  std::string subject{};  // "CN=site"
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
  std::string sha1{};    // of the DER form, 20 octets
  std::string sha256{};  // 32 octets
  std::string pem{};     // it alone, without what stands around it
};
// The first certificate of the text.
Result<CertificateFacts> read_certificate(std::string_view pem);

// A private key as PEM text and what opens it.
struct PrivateKey {
  std::string_view pem{};
  std::string_view passphrase{};
};
bool is_encrypted_key(std::string_view pem);
Done check_key(const PrivateKey& key, std::string_view certificate_pem);

enum class Signature : std::uint8_t { ps256, rs256 };
// The signature's octets.
Result<std::string> sign(Signature kind, const PrivateKey& key, std::string_view text);

struct MadeCertificate {
  Secret key_pem{};
  std::string certificate_pem{};
};
// RSA 3072, self-signed with SHA-256, valid from a day before `now_s` (clocks differ).
Result<MadeCertificate> make_certificate(const std::string& common_name, std::int64_t days,
                                         std::int64_t now_s);

}  // namespace base
