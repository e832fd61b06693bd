// identity: the claims of an ID token, as the helper read them, judged: is it the answer to our
// sign-in, and whom does it name? Source: OpenID Connect Core 3.1.3.7. Its signature is not looked
// at: it came from the token endpoint itself, over verified TLS (point 6). `aud` and `nonce` must
// be ours: else it is another sign-in's, and an error. A foreign issuer or one of a clock that is
// far off takes away the names only (docs/decisions/0020). Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "account/account.h"
#include "base/result.h"
#include "net/record.h"
#include "token/sign_in.h"

namespace token {

struct IdentityRules {
  std::string_view nonce{};  // empty: none was sent (device code)
  std::int64_t now_s = 0;
};
base::Done read_identity(const net::Record& answer, const account::Account& account,
                         const IdentityRules& rules, SignedIn& into);

// Scopes, roles and audience of the tokens.
void read_rights(const net::Record& answer, SignedIn& into);

}  // namespace token
