// access: one account and the places that its access tokens come from, for the verbs that ask for
// one or make it forgotten (token, refresh, logout, keyring migrate). Errors: those of place;
// Fault::config for an account that signs in without tokens.
#pragma once

#include <string>

#include "token/obtain.h"
#include "token/refresh.h"
#include "verb/place.h"

namespace verb {

struct Access {
  account::Account account;
  token::Source::Places places{};
};

token::Source::Places source_places(const Place& place,
                                    const account::Configuration& configuration);
base::Result<Access> access_of(const Place& place, const std::string& name);
// Whether the account signs in with tokens at all.
base::Done wants_token(const account::Account& account);

// The lock under which one process refreshes: while it is held, nobody changes the credential.
base::Result<base::Fd> lock_refresh(token::Refresh& refresh);

}  // namespace verb
