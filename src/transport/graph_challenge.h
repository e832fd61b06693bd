// graph_challenge: what a 401 wants the next token to claim (continuous access evaluation).
// Source: identity platform, "Claims challenges"; RFC 6750 3, RFC 9110 11.6.1 for the field.
// Pure. Limits: 4 KiB. Trusts: nothing; what is no base64 of one JSON object in printable text is
// no challenge. The JSON itself is the identity provider's to read: it goes there as it came.
#pragma once

#include <string>
#include <string_view>

namespace transport {

// The claims parameter of a WWW-Authenticate field, decoded; empty: none.
std::string claims_of(std::string_view authenticate);

}  // namespace transport
