// tls_session: what was agreed in one TLS handshake, so that the next connection to the same server
// is spared its certificate and half of its work. Source: RFC 8446 2.2, 4.6.1, C.4; docs/decisions
// 0012. A session is a secret: who holds it can take the server's part towards us. Units: wall
// clock seconds. Limits: an hour after the certificate was verified, and never past its end,
// however often the session is renewed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/secret.h"

namespace net {

struct TlsSession {
  base::Secret bytes{};  // as OpenSSL writes it
  std::int64_t verified_s = 0;
  std::int64_t expires_s = 0;
  // Not expired, and not verified in the future, which a clock set back would make it.
  bool usable(std::int64_t now) const;
};

constexpr std::int64_t session_life_s = 3600;

// The store. Whatever cannot be read or kept is a session that is not there.
class TlsSessions {
 public:
  virtual ~TlsSessions() = default;
  // Gives it out once: nobody else gets the same one.
  virtual std::optional<TlsSession> take(const std::string& words) = 0;
  virtual void keep(const std::string& words, TlsSession session) = 0;
};

}  // namespace net
