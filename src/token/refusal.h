// refusal: the helper's record of a token endpoint's answer, judged by base/replies. Source: RFC
// 6749 5.2, 4.1.2.1; RFC 8628 3.5; facts (providers) 1.8, 1.9. Pure.
#pragma once

#include "account/account.h"
#include "base/error.h"
#include "net/record.h"
#include "token/redirect.h"

namespace token {

bool is_token(const net::Record& answer);
// Why it is none; names the account.
base::Error refusal_of(const net::Record& answer, const account::Account& account);
// The same for what a sign-in page sent back; AADSTS numbers stand in its description.
base::Error refusal_of(const RedirectAnswer& answer, const account::Account& account);
std::vector<long> codes_of(const net::Record& answer);

}  // namespace token
