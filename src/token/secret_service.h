// secret_service: the helper's side of keyring = secret-service: libsecret as the client of the
// Secret Service on the session bus. Source: freedesktop.org "Secret Service API"; design section
// 5; decision 0024. The bus is /run/user/UID/bus and no other: no D-Bus variable is believed. The
// socket's server must be our own uid or root. Schema org.mailbearer.Credential: account, user,
// client_id, tenant, token_endpoint and kind are attributes, which the service keeps in the clear.
// Errors: Fault::unavailable with a cause of its own for: no bus, a bus of somebody else, no
// service, locked, refused. A call may hang in libsecret: the caller sets a limit (the helper ends
// itself). Nothing is erased but by "erase".
#pragma once

#include "net/record.h"

namespace token {

// Request: action (load store erase), the attributes, secret, prompt. Answer: state (stored none
// other-settings erased), secret; or an error.
net::Record serve_keyring_request(const net::Record& request);
// What is answered when the limit has passed.
base::Error service_too_slow(const net::Record& request);

}  // namespace token
