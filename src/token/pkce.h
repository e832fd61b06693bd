// pkce: the random words of one sign-in. Source: RFC 7636 4.1, 4.2 (S256 alone); RFC 6749 10.12
// (state); OpenID Connect Core 3.1.2.1 (nonce). Each holds 32 random octets as base64url, 43
// letters. Errors: Fault::bug when OpenSSL has no random bytes.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace token {

struct SignInWords {
  base::Secret verifier{};
  std::string challenge{};  // of the verifier
  std::string state{};
  std::string nonce{};
};
base::Result<SignInWords> make_sign_in_words();

// BASE64URL(SHA256(verifier)).
std::string challenge_of(std::string_view verifier);

}  // namespace token
