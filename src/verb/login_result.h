// login_result: what a finished sign-in is worth: whether the token is for what was asked, and what
// a person is told of it. Pure. Tokens are read to be told about, never to decide a right by
// (token/sign_in). Errors: Fault::config where the token cannot serve, with the cure.
#pragma once

#include <string>

#include "account/account.h"
#include "base/result.h"
#include "token/sign_in.h"
#include "verb/place.h"

namespace verb {

base::Done judge_sign_in(const account::Account& account, const token::SignedIn& signed_in);
// Some lines: who signed in, where the credential lies, what it could do.
std::string told_of_sign_in(const account::Account& account, const token::SignedIn& signed_in,
                            const Place& place);
// Whether a refusal is the administrator's to cure: no consent, or one that a person may not give.
bool needs_administrator(const base::Error& error);

}  // namespace verb
