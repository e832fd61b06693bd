// tls: a Stream inside TLS 1.2 or newer, the server's certificate chain and name verified, always.
// Source: RFC 8446, RFC 6125, RFC 3207 section 4.2 (nothing read in plaintext is kept).
// Errors: Fault::unavailable; the cause names issuer, names or dates of the certificate that was
// refused. Owns: the socket it is given. What goes out between two reads is one write: the end of
// a handshake leaves with the first words behind it. No early data. OpenSSL is seen in tls*.cpp
// only.
#pragma once

#include <memory>
#include <string>

#include "net/stream.h"
#include "net/tls_session.h"

namespace net {

struct TlsTrust {
  std::string ca_file{};             // PEM; empty: /etc/ssl/certs as hashed directory
  std::string client_certificate{};  // PEM with key, or empty
};

class TlsContext;  // one SSL_CTX; may serve many connections

base::Result<std::shared_ptr<TlsContext>> make_tls_context(const TlsTrust& trust);

// Names the files of a trust as they are now; another text after any of them changed.
std::string trust_words(const TlsTrust& trust);

// Where sessions with one server are kept from one connection to the next. `words` bind them to
// everything that a session stands for: host, port, name, trust.
struct TlsMemory {
  TlsSessions* sessions = nullptr;  // outlives the stream
  std::string words{};
};

// The other side: a server that shows `certificate` (PEM, chain and unencrypted key, private).
base::Result<std::shared_ptr<TlsContext>> make_tls_server_context(const std::string& certificate);
base::Result<std::unique_ptr<Stream>> accept_tls(TlsContext& context, base::Fd socket,
                                                 base::Deadline deadline);

// Shakes hands as client and verifies `server_name` (a DNS name or an IP address).
base::Result<std::unique_ptr<Stream>> start_tls(TlsContext& context, base::Fd socket,
                                                const std::string& server_name,
                                                base::Deadline deadline,
                                                const TlsMemory& memory = {});

}  // namespace net
