// authorization: the address at which a person signs in. Source: RFC 6749 4.1.1, RFC 7636 4.3,
// OpenID Connect Core 3.1.2.1; facts (providers) 1.3, 4.1. What the preset's address already says
// (Google's access_type and prompt) stands. Errors: Fault::config where the account lacks what a
// browser sign-in needs.
#pragma once

#include <cstdint>
#include <string>

#include "account/account.h"
#include "base/result.h"
#include "token/pkce.h"

namespace token {

// "http://localhost:4711": what Entra matches whatever the port (docs/decisions/0019).
std::string redirect_uri(std::uint16_t port);

// `login_hint` is the account's user.
base::Result<std::string> authorization_url(const account::Account& account,
                                            const SignInWords& words,
                                            const std::string& redirect_uri);

}  // namespace token
