#include "token/pkce.h"

#include "base/seal.h"

namespace token {

namespace {

constexpr std::size_t word_bytes = 32;

base::Result<std::string> random_word() {
  base::Result<base::Secret> bytes = base::random_secret(word_bytes);
  if (!bytes) return std::move(bytes).error();
  return base::base64url(bytes->reveal());
}

}  // namespace

std::string challenge_of(std::string_view verifier) {
  return base::base64url(base::sha256(verifier));
}

base::Result<SignInWords> make_sign_in_words() {
  base::Result<std::string> verifier = random_word();
  base::Result<std::string> state = random_word();
  base::Result<std::string> nonce = random_word();
  for (base::Result<std::string>* word : {&verifier, &state, &nonce}) {
    if (!*word) return std::move(*word).error();
  }
  SignInWords words;
  words.challenge = challenge_of(*verifier);
  words.verifier = base::Secret::take(*verifier);
  words.state = std::move(*state);
  words.nonce = std::move(*nonce);
  return words;
}

}  // namespace token
