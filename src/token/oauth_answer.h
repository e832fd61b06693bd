// oauth_answer: the body of a token endpoint's answer, judged. Source: RFC 6749 sections 5.1 and
// 5.2; facts (providers) 1.8, (reliability) T4. JSON is seen in oauth_answer.cpp only, which only
// the helper links. Limits: 32 levels, 32 KiB a token, 16 error codes; the client bounds the body.
// Trusts: nothing. A name that comes twice, a wrong type, or a token with a byte outside the
// visible ASCII makes the answer unusable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace token {

struct OauthAnswer {
  std::string unusable{};  // why it is neither a token nor an error; empty: it is one
  base::Secret access_token{};
  base::Secret refresh_token{};
  std::int64_t expires_in_s = 0;  // 0: not said, or not believed
  base::Secret id_token{};        // asked for only at a sign-in
  std::string scope{};            // granted, cleaned
  std::string error{};
  std::string description{};  // as the server wrote it: to be cleaned before it is shown
  std::vector<long> codes{};
};

OauthAnswer judge_answer(std::string_view body);

}  // namespace token
