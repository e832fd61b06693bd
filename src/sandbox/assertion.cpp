#include "sandbox/assertion.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/freed.h"
#include "base/text.h"
#include "sandbox/json.h"
#include "sandbox/tenant.h"

namespace sandbox {

namespace {

constexpr std::size_t assertion_limit_bytes = 16 * 1024;
constexpr std::int64_t skew_s = 300;

using Certificate = std::unique_ptr<X509, base::Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, base::Freed<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, base::Freed<EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, base::Freed<BIO_free_all>>;

Certificate read_certificate(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

std::string thumbprint(const Certificate& certificate, const EVP_MD* digest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  if (X509_digest(certificate.get(), digest, bytes.data(), &length) != 1) return {};
  return base64url({reinterpret_cast<const char*>(bytes.data()), length});
}

struct Parts {
  Json header;
  Json claims;
  std::string_view signed_text;
  std::string signature;
};

bool take_apart(std::string_view text, Parts& parts) {
  if (text.size() > assertion_limit_bytes) return false;
  const std::vector<std::string_view> pieces = base::split(text, '.');
  std::string header;
  std::string claims;
  if (pieces.size() != 3 || !from_base64url(pieces[0], header) ||
      !from_base64url(pieces[1], claims) || !from_base64url(pieces[2], parts.signature)) {
    return false;
  }
  parts.header = read_json(header);
  parts.claims = read_json(claims);
  parts.signed_text = text.substr(0, pieces[0].size() + 1 + pieces[1].size());
  return parts.header.is_object() && parts.claims.is_object();
}

bool signature_holds(const Certificate& certificate, const Parts& parts, bool pss) {
  const Key key(X509_get_pubkey(certificate.get()));
  const DigestContext context(EVP_MD_CTX_new());
  if (!key || !context || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return false;
  EVP_PKEY_CTX* options = nullptr;
  if (EVP_DigestVerifyInit(context.get(), &options, EVP_sha256(), nullptr, key.get()) != 1) {
    return false;
  }
  // RFC 7518 section 3.5: the salt is as long as the digest.
  if (pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
              EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  return EVP_DigestVerify(context.get(), bytes(parts.signature), parts.signature.size(),
                          bytes(parts.signed_text), parts.signed_text.size()) == 1;
}

AssertionVerdict check_signature(const Parts& parts, const AssertionRules& rules) {
  const std::string algorithm = text_member(parts.header, "alg");
  const bool pss = algorithm == "PS256";
  if (!pss && algorithm != "RS256") return {50027, "The algorithm is not PS256 or RS256.", {}};
  const std::string named = text_member(parts.header, pss ? "x5t#S256" : "x5t");
  if (named.empty()) return {50027, "The header names no certificate.", {}};
  for (const std::string& pem : rules.certificates) {
    const Certificate certificate = read_certificate(pem);
    if (!certificate) continue;
    if (thumbprint(certificate, pss ? EVP_sha256() : EVP_sha1()) != named) continue;
    if (signature_holds(certificate, parts, pss)) return {};
    return {700027, "The key was found, but the signature does not match.", {}};
  }
  return {700027, "The key was not found.", {}};
}

AssertionVerdict check_claims(const Json& claims, const AssertionRules& rules) {
  if (text_member(claims, "iss") != rules.client_id ||
      text_member(claims, "sub") != rules.client_id) {
    return {700021, {}, {}};
  }
  const std::string audience = text_member(claims, "aud");
  if (std::find(rules.audiences.begin(), rules.audiences.end(), audience) ==
      rules.audiences.end()) {
    return {700023, {}, {}};
  }
  const Json* expires = member(claims, "exp");
  if (expires == nullptr || !expires->is_number_integer()) return {50027, "exp is missing.", {}};
  if (number_member(claims, "exp") + skew_s <= rules.now) {
    return {700024, "The assertion has expired.", {}};
  }
  if (number_member(claims, "nbf") - skew_s > rules.now) {
    return {700024, "The assertion is not valid yet.", {}};
  }
  const std::string jti = text_member(claims, "jti");
  if (jti.empty()) return {50027, "jti is missing.", {}};
  return {0, {}, jti};
}

}  // namespace

AssertionVerdict check_assertion(std::string_view assertion, const AssertionRules& rules) {
  Parts parts;
  if (!take_apart(assertion, parts)) return {50027, "It is not a signed JWT.", {}};
  AssertionVerdict verdict = check_signature(parts, rules);
  if (verdict.code != 0) return verdict;
  return check_claims(parts.claims, rules);
}

bool is_rsa_certificate(const std::string& pem) {
  const Certificate certificate = read_certificate(pem);
  if (!certificate) return false;
  const Key key(X509_get_pubkey(certificate.get()));
  return key && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA;
}

}  // namespace sandbox
