// assertion: a client assertion (certificate credential) verified as Entra does it.
// Source: RFC 7523 section 3; facts/providers.md 1.5. PS256 names its certificate by x5t#S256,
// RS256 by x5t. Limits: 16 KiB; a skew of 300 s. Trusts: nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

struct AssertionRules {
  std::vector<std::string> audiences{};  // any of these, exactly
  std::string client_id{};
  std::vector<std::string> certificates{};  // PEM
  std::int64_t now = 0;
};

struct AssertionVerdict {
  long code = 0;  // AADSTS number; 0: good
  std::string detail{};
  std::string jti{};
};

AssertionVerdict check_assertion(std::string_view assertion, const AssertionRules& rules);

// Whether the PEM text holds a certificate with an RSA key.
bool is_rsa_certificate(const std::string& pem);

}  // namespace sandbox
