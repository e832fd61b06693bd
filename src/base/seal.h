// seal: all the cryptography that is not TLS. AES-256-GCM, SHA-256, random bytes, base64 by
// OpenSSL. Source: NIST SP 800-38D; RFC 4648. Sealed form: "MBS1" + 12-byte nonce + ciphertext +
// 16-byte tag. Errors: Fault::sign_in_needed when what is opened was not sealed with this key and
// these words, Fault::bug when OpenSSL refuses.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace base {

constexpr std::size_t seal_key_bytes = 32;

// `bound_to` (AAD) is not stored: the same words must be given to open.
Result<std::string> seal(const Secret& key, std::string_view bound_to, const Secret& plain);
Result<Secret> unseal(const Secret& key, std::string_view bound_to, std::string_view sealed);

std::string sha256(std::string_view bytes);  // 32 octets
std::string sha256_hex(std::string_view bytes);
Result<Secret> random_secret(std::size_t count);

std::string base64(std::string_view bytes);  // one line, with padding
Secret base64(const Secret& bytes);
Result<std::string> from_base64(std::string_view text);  // strict; no white space

// RFC 4648 section 5, without padding; reading is as strict.
std::string base64url(std::string_view bytes);
Result<std::string> from_base64url(std::string_view text);

}  // namespace base
