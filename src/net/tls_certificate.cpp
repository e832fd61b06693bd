#include "net/tls_certificate.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "base/text.h"

namespace net {

namespace {

constexpr std::size_t most_names_told = 4;
constexpr std::size_t name_limit = 100;

std::string common_name(const X509_NAME* name) {
  for (const int part : {NID_commonName, NID_organizationName}) {
    const int at = X509_NAME_get_index_by_NID(name, part, -1);
    if (at < 0) continue;
    unsigned char* text = nullptr;
    const int length =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (length < 0) continue;
    const std::string_view bytes(reinterpret_cast<const char*>(text),
                                 static_cast<std::size_t>(length));
    std::string out = base::clean(bytes, name_limit);
    OPENSSL_free(text);
    return out;
  }
  return "an unnamed issuer";
}

std::string day_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday);
  return text.data();
}

std::string one_name(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) {
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    const auto length = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
    return base::clean({bytes, length}, name_limit);
  }
  if (name->type != GEN_IPADD) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(name->d.iPAddress);
  const int family = length == 4 ? AF_INET : AF_INET6;
  if (length != 4 && length != 16) return {};
  inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text.data(), text.size());
  return text.data();
}

// "a.example, b.example": the names that a certificate was made for.
std::string names_of(const X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return common_name(X509_get_subject_name(certificate));
  std::string out;
  std::size_t told = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const std::string name = one_name(sk_GENERAL_NAME_value(names, i));
    if (name.empty()) continue;
    if (told++ == most_names_told) {
      out += ", ...";
      break;
    }
    out += (out.empty() ? "" : ", ") + name;
  }
  GENERAL_NAMES_free(names);
  return out.empty() ? "no host" : out;
}

std::string validity_words(const X509* certificate, int fault, int depth) {
  const std::string whose =
      depth == 0 ? "" : "(issuer " + common_name(X509_get_subject_name(certificate)) + ") ";
  if (fault == X509_V_ERR_CERT_HAS_EXPIRED) {
    return whose + "expired on " + day_of(X509_get0_notAfter(certificate));
  }
  return whose + "is not valid before " + day_of(X509_get0_notBefore(certificate));
}

}  // namespace

void judge_certificate(CertificateVerdict& verdict, const x509_st* certificate, int fault,
                       int depth) {
  const std::string of = "certificate of " + verdict.server + " ";
  switch (fault) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      verdict.cause = of + "is for " + names_of(certificate) + ", not " + verdict.server;
      verdict.cure = "check the host name in the configuration";
      return;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      verdict.cause = of + validity_words(certificate, fault, depth);
      verdict.cure = "check the clock of this host, or tell the server's administrator";
      return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      verdict.cause = of + "is self-signed (" + common_name(X509_get_issuer_name(certificate)) +
                      "), which is not trusted here";
      break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      verdict.cause = of + "is issued by " + common_name(X509_get_issuer_name(certificate)) +
                      ", which is not trusted here";
      break;
    default:
      verdict.cause = of + "refused: " + X509_verify_cert_error_string(fault);
      verdict.cure = "tell the server's administrator";
      return;
  }
  verdict.cure = "set ca_file, or install the issuer in " + std::string(system_trust);
}

}  // namespace net
