#include "base/certificate.h"
#include "base/freed.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <ctime>
#include <memory>

#include "base/crypto_library.h"
#include "base/text.h"

namespace base {

namespace {

constexpr int made_bits = 3072;
constexpr int fewest_bits = 2048;
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t longest_days = 36'500;

using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Time = std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>>;

Error refused() {
  return failure(Fault::bug, "the cryptographic library refused a call");
}

// The older form of an encrypted key names its cipher, which is looked up in a table that
// crypto_library leaves empty.
bool start_keys() {
  static const bool started =
      start_crypto() && EVP_add_cipher(EVP_aes_128_cbc()) == 1 &&
      EVP_add_cipher(EVP_aes_192_cbc()) == 1 && EVP_add_cipher(EVP_aes_256_cbc()) == 1 &&
      EVP_add_cipher(EVP_des_ede3_cbc()) == 1 && EVP_add_digest(EVP_md5()) == 1;
  return started;
}

Bio text_bio(std::string_view text) {
  if (!start_keys() || text.size() > INT_MAX) return nullptr;
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Secure memory would be better; what the BIO holds is wiped when it is freed.
Bio new_bio() {
  return Bio(start_crypto() ? BIO_new(BIO_s_secmem()) : nullptr);
}

std::string_view text_of(const Bio& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return size > 0 ? std::string_view(bytes, static_cast<std::size_t>(size)) : std::string_view();
}

// Called by OpenSSL for an encrypted key; without it OpenSSL would ask on the terminal.
int give_passphrase(char* into, int size, int /*writing*/, void* user) {
  const auto* passphrase = static_cast<const std::string_view*>(user);
  if (size < 0 || passphrase->size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(into, passphrase->data(), passphrase->size());
  return static_cast<int>(passphrase->size());
}

Result<Key> open_key(const PrivateKey& key) {
  const Bio bio = text_bio(key.pem);
  if (!bio) return refused();
  std::string_view passphrase = key.passphrase;
  Key opened(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &passphrase));
  if (!opened) {
    if (!is_encrypted_key(key.pem)) {
      return failure(Fault::config, "no private key in PEM form is in the key file");
    }
    return failure(Fault::config, passphrase.empty() ? "the private key needs its passphrase"
                                                     : "the passphrase does not open the key");
  }
  if (EVP_PKEY_get_base_id(opened.get()) != EVP_PKEY_RSA) {
    return failure(Fault::config, "the private key is no RSA key",
                   "make an RSA key and certificate");
  }
  if (EVP_PKEY_get_bits(opened.get()) < fewest_bits) {
    return failure(Fault::config, "the private key has less than 2048 bits",
                   "make a new key and certificate");
  }
  return opened;
}

Certificate first_certificate(std::string_view pem) {
  const Bio bio = text_bio(pem);
  return Certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

Error no_certificate() {
  return failure(Fault::config, "no certificate in PEM form is in the file");
}

std::string digest_of(const Certificate& certificate, const EVP_MD* kind) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (X509_digest(certificate.get(), kind, bytes.data(), &size) != 1) return {};
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm utc{};
  return ASN1_TIME_to_tm(time, &utc) == 1 ? static_cast<std::int64_t>(timegm(&utc)) : 0;
}

bool set_times(X509* certificate, std::int64_t from_s, std::int64_t to_s) {
  const Time from(ASN1_TIME_set(nullptr, from_s));
  const Time to(ASN1_TIME_set(nullptr, to_s));
  return from && to && X509_set1_notBefore(certificate, from.get()) == 1 &&
         X509_set1_notAfter(certificate, to.get()) == 1;
}

// 159 random bits: positive, and within the 20 octets of RFC 5280 4.1.2.2.
bool set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_new());
  return number && BN_rand(number.get(), 159, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_names(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* bytes = reinterpret_cast<const unsigned char*>(common_name.data());
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes,
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

bool add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, kind, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

}  // namespace

bool is_encrypted_key(std::string_view pem) {
  return pem.find("-----BEGIN ENCRYPTED PRIVATE KEY-----") != std::string_view::npos ||
         pem.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  const Certificate certificate = first_certificate(pem);
  if (!certificate) return no_certificate();
  CertificateFacts facts;
  const Bio subject = new_bio();
  const Bio text = new_bio();
  if (!subject || !text ||
      X509_NAME_print_ex(subject.get(), X509_get_subject_name(certificate.get()), 0,
                         XN_FLAG_RFC2253) < 0 ||
      PEM_write_bio_X509(text.get(), certificate.get()) != 1) {
    return refused();
  }
  facts.subject = clean(text_of(subject), 200);
  facts.pem = text_of(text);
  facts.not_before_s = seconds_of(X509_get0_notBefore(certificate.get()));
  facts.not_after_s = seconds_of(X509_get0_notAfter(certificate.get()));
  facts.sha1 = digest_of(certificate, EVP_sha1());
  facts.sha256 = digest_of(certificate, EVP_sha256());
  if (facts.sha1.empty() || facts.sha256.empty()) return refused();
  return facts;
}

Done check_key(const PrivateKey& key, std::string_view certificate_pem) {
  const Result<Key> opened = open_key(key);
  if (!opened) return opened.error();
  const Certificate certificate = first_certificate(certificate_pem);
  if (!certificate) return no_certificate();
  if (X509_check_private_key(certificate.get(), opened.value().get()) != 1) {
    return failure(Fault::config, "the private key belongs to another certificate");
  }
  return done();
}

Result<std::string> sign(Signature kind, const PrivateKey& key, std::string_view text) {
  const Result<Key> opened = open_key(key);
  if (!opened) return opened.error();
  const Digest context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  if (!context || EVP_DigestSignInit(context.get(), &options, EVP_sha256(), nullptr,
                                     opened.value().get()) != 1) {
    return refused();
  }
  if (kind == Signature::ps256 &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return refused();
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) return refused();
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, text.size()) != 1) {
    return refused();
  }
  signature.resize(size);
  return signature;
}

Result<MadeCertificate> make_certificate(const std::string& common_name, std::int64_t days,
                                         std::int64_t now_s) {
  if (common_name.empty() || common_name.size() > 64 || has_control(common_name) || days < 1 ||
      days > longest_days) {
    return failure(Fault::usage,
                   "a certificate needs a name of 1 to 64 letters and 1 to 36500 days");
  }
  if (!start_crypto()) return refused();
  const Key key(EVP_RSA_gen(made_bits));
  const Certificate certificate(X509_new());
  const bool ok = key && certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                  set_serial(certificate.get()) && set_names(certificate.get(), common_name) &&
                  set_times(certificate.get(), now_s - day_s, now_s + days * day_s) &&
                  X509_set_pubkey(certificate.get(), key.get()) == 1 &&
                  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                  add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature") &&
                  X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0;
  const Bio key_text = new_bio();
  const Bio certificate_text = new_bio();
  if (!ok || !key_text || !certificate_text ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1 ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1) {
    return refused();
  }
  return MadeCertificate{Secret(text_of(key_text)), std::string(text_of(certificate_text))};
}

}  // namespace base
