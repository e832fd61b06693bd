// entra: errors in the shape that Entra gives them.
// Source: facts/providers.md 1.8 and 1.9; RFC 6749 section 5.2.
#pragma once

#include <string>
#include <vector>

#include "sandbox/web.h"

namespace sandbox {

struct EntraError {
  int status = 400;
  std::string error{};  // "invalid_grant"
  std::vector<long> codes{};
  std::string text{};  // without the AADSTS number in front
  std::string suberror{};
};

WebAnswer entra_answer(const EntraError& error);
// "AADSTS700082: text Trace ID: ... Correlation ID: ... Timestamp: ..."
std::string entra_description(const EntraError& error);

// The error of a number that this sandbox knows, with `detail` in its sentence where there is room.
EntraError entra_error(long code, const std::string& detail = {});

}  // namespace sandbox
