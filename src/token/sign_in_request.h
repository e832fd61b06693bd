// sign_in_request: what browser and device share with sign_in: one question to the helper, and the
// answer made a SignedIn. Internal to the room.
#pragma once

#include <string_view>

#include "token/credential.h"
#include "token/sign_in.h"

namespace token {

// That a refresh token could be stored and would be used: before a provider is asked for one.
base::Done ready_to_keep(const account::Account& account, const SignInPlaces& places);
// Where there is one, for providers that give desktop apps one (Google), and confidential apps.
base::Done put_client_secret(net::Record& request, const account::Account& account,
                             Credentials& credentials);
base::Result<net::Record> ask_helper(const account::Account& account, const SignInPlaces& places,
                                     const net::Record& request);
base::Result<SignedIn> signed_in_by(net::Record answer, const account::Account& account,
                                    std::string_view nonce, std::int64_t asked_s);

}  // namespace token
