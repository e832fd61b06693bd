// families: what login and its advice have to know of providers that is no setting: whose sign-in
// pages they are. By the provider and what it is based on, so that a host's own counts, too.
#pragma once

#include <cstdint>
#include <string>

#include "account/account.h"

namespace verb {

enum class Family : std::uint8_t { microsoft, google, other };
Family family_of(const account::Account& account);

// "https://login.microsoftonline.com", from the token endpoint; empty: none there.
std::string sign_in_site(const account::Account& account);

}  // namespace verb
