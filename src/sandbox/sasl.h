// sasl: what a client says at AUTH, taken apart.
// Source: Google's XOAUTH2 page and RFC 7628 section 3.1 (facts/providers.md 5.1). Limits: 12,288
// octets of base64 (RFC 4954 section 4), enforced by the caller. Errors: Fault::protocol.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace sandbox {

struct SaslClaim {
  std::string user{};
  base::Secret token{};
};

// From base64, as it stands in the dialogue.
base::Result<SaslClaim> read_xoauth2(std::string_view base64_text);
base::Result<SaslClaim> read_oauthbearer(std::string_view base64_text);

}  // namespace sandbox
