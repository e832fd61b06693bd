// tls_certificate: a certificate that was refused, in words for a person: names, issuer, dates.
// Source: RFC 5280 4.1.2, 4.2.1.6. Owns: nothing. What stands in a certificate comes out cleaned
// and cut.
#pragma once

#include <string>

struct x509_st;  // OpenSSL's X509, which only the files behind its door know

namespace net {

// The hashed folder of trusted issuers; its bundle would cost 20 ms a connection to read.
constexpr const char* system_trust = "/etc/ssl/certs";

// What is wrong with the chain, seen while it is verified: afterwards the certificate is gone.
struct CertificateVerdict {
  std::string server{};
  std::string cause{};
  std::string cure{};
};

// `fault` is one of X509_V_ERR_*, `depth` 0 the server's own certificate.
void judge_certificate(CertificateVerdict& verdict, const x509_st* certificate, int fault,
                       int depth);

}  // namespace net
