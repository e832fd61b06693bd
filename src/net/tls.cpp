#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "net/tls_openssl.h"
#include "net/tls_stream.h"

namespace net {

namespace {

constexpr std::size_t name_limit = 100;

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// The name that the certificate must bear, and that the server is told (RFC 6066 3: never an
// address).
bool expect_name(SSL* session, const std::string& name) {
  if (is_address(name)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name.c_str()) == 1;
  }
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(session, name.c_str()) == 1 &&
         SSL_set_tlsext_host_name(session, name.c_str()) == 1;
}

std::string certifiable(std::string name) {
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    return name.substr(1, name.size() - 2);
  }
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  return name;
}

}  // namespace

base::Result<std::unique_ptr<Stream>> start_tls(TlsContext& context, base::Fd socket,
                                                const std::string& server_name,
                                                base::Deadline deadline, const TlsMemory& memory) {
  const std::string name = certifiable(server_name);
  // The socket is made non-blocking by a stream that only passes it on.
  socket = FdStream(std::move(socket)).take_socket();
  auto stream = std::make_unique<TlsStream>(std::move(socket), Ssl(SSL_new(context.get())));
  CertificateVerdict& verdict = stream->notes().verdict;
  verdict.server = base::clean(name, name_limit);
  if (!stream->ready() || !expect_name(stream->session(), name)) {
    return openssl_refuses("prepare a TLS connection to " + verdict.server);
  }
  SSL_set_connect_state(stream->session());
  stream->remember(memory);
  base::Done shaken = stream->shake_hands(deadline);
  // The result alone is "fine" until a certificate was looked at.
  if (shaken && SSL_get0_peer_certificate(stream->session()) != nullptr &&
      SSL_get_verify_result(stream->session()) == X509_V_OK) {
    return std::unique_ptr<Stream>(std::move(stream));
  }
  if (!verdict.cause.empty()) {
    return base::failure(base::Fault::unavailable, verdict.cause, verdict.cure);
  }
  const std::string reason = shaken ? "certificate not verified" : shaken.error().cause;
  base::Error error =
      base::failure(base::Fault::unavailable,
                    "TLS with " + verdict.server + " failed (" + reason + ")", "try again");
  if (!shaken) error.sys = shaken.error().sys;
  return error;
}

}  // namespace net
