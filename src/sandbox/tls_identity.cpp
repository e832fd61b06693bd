#include "sandbox/tls_identity.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/freed.h"
#include "base/random.h"

namespace sandbox {

namespace {

using Certificate = std::unique_ptr<X509, base::Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, base::Freed<EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, base::Freed<SSL_CTX_free>>;
using Bio = std::unique_ptr<BIO, base::Freed<BIO_free_all>>;

constexpr long day_s = 86'400;
constexpr std::size_t kinds = 5;

Key make_key() {
  return Key(EVP_EC_gen("P-256"));
}

bool add_extension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

struct Wanted {
  std::string name;
  const char* alternative_names = nullptr;  // none: a certification authority
  long from_s = -day_s;
  long to_s = 7 * day_s;
};

// Signed by `issuer` and its key; without an issuer by itself.
Certificate make_certificate(const Wanted& wanted, EVP_PKEY* key, X509* issuer,
                             EVP_PKEY* issuer_key) {
  Certificate made(X509_new());
  X509* certificate = made.get();
  if (certificate == nullptr) return nullptr;
  const std::string serial = base::random_hex(7);
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), std::stoull(serial, nullptr, 16));
  X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.to_s);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wanted.name.c_str()), -1, -1,
                             0);
  X509* signer = issuer == nullptr ? certificate : issuer;
  const bool authority = wanted.alternative_names == nullptr;
  const bool complete =
      X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1 &&
      X509_set_pubkey(certificate, key) == 1 &&
      add_extension(certificate, signer, NID_basic_constraints,
                    authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
      add_extension(certificate, signer, NID_key_usage,
                    authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
      add_extension(certificate, signer, NID_subject_key_identifier, "hash") &&
      (authority ||
       (add_extension(certificate, signer, NID_ext_key_usage, "serverAuth") &&
        add_extension(certificate, signer, NID_subject_alt_name, wanted.alternative_names)));
  if (!complete || X509_sign(certificate, issuer_key, EVP_sha256()) == 0) return nullptr;
  return made;
}

Context make_context(X509* certificate, EVP_PKEY* key) {
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_use_certificate(context.get(), certificate) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key) != 1) {
    return nullptr;
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

}  // namespace

struct TlsIdentity::Parts {
  Key ca_key;
  Key key;
  Certificate ca;
  std::array<Certificate, kinds> certificates;
  std::array<Context, kinds> contexts;
};

bool parse_certificate_kind(const std::string& word, CertificateKind& kind) {
  constexpr std::array<const char*, kinds> words = {"good", "expired", "not-yet-valid",
                                                    "wrong-name", "self-signed"};
  for (std::size_t i = 0; i < kinds; ++i) {
    if (word != words[i]) continue;
    kind = static_cast<CertificateKind>(i);
    return true;
  }
  return false;
}

TlsIdentity::TlsIdentity() : parts_(std::make_unique<Parts>()) {}
TlsIdentity::~TlsIdentity() = default;

base::Result<std::unique_ptr<TlsIdentity>> TlsIdentity::make() {
  std::unique_ptr<TlsIdentity> identity(new TlsIdentity());
  base::Done filled = identity->fill();
  if (!filled) return std::move(filled).error();
  return identity;
}

base::Done TlsIdentity::fill() {
  const base::Error refused =
      base::failure(base::Fault::bug, "OpenSSL cannot make the sandbox's certificates");
  constexpr const char* names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  parts_->ca_key = make_key();
  parts_->key = make_key();
  if (!parts_->ca_key || !parts_->key) return refused;
  parts_->ca = make_certificate({"Mailbearer sandbox CA " + base::random_hex(4), nullptr},
                                parts_->ca_key.get(), nullptr, parts_->ca_key.get());
  if (!parts_->ca) return refused;
  ca_pem_ = pem_of(parts_->ca.get());
  const std::array<Wanted, kinds> wanted = {{
      {"Mailbearer sandbox", names},
      {"Mailbearer sandbox, expired", names, -7 * day_s, -day_s},
      {"Mailbearer sandbox, not yet valid", names, 2 * day_s, 7 * day_s},
      {"Mailbearer sandbox, other name", "DNS:other.sandbox.example"},
      {"Mailbearer sandbox, self-signed", names},
  }};
  for (std::size_t i = 0; i < kinds; ++i) {
    const bool self_signed = static_cast<CertificateKind>(i) == CertificateKind::self_signed;
    parts_->certificates[i] =
        make_certificate(wanted[i], parts_->key.get(), self_signed ? nullptr : parts_->ca.get(),
                         self_signed ? parts_->key.get() : parts_->ca_key.get());
    if (!parts_->certificates[i]) return refused;
    parts_->contexts[i] = make_context(parts_->certificates[i].get(), parts_->key.get());
    if (!parts_->contexts[i]) return refused;
  }
  return base::done();
}

x509_st* TlsIdentity::certificate() const {
  return parts_->certificates[0].get();
}
evp_pkey_st* TlsIdentity::key() const {
  return parts_->key.get();
}
ssl_ctx_st* TlsIdentity::context(CertificateKind kind) const {
  return parts_->contexts[static_cast<std::size_t>(kind)].get();
}

}  // namespace sandbox
