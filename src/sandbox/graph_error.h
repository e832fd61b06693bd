// graph_error: refusals of Microsoft Graph, in its shape.
// Source: facts/providers.md 3.8: {"error":{"code","message","innerError":{...}}}.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sandbox/fault.h"
#include "sandbox/tenant.h"
#include "sandbox/web.h"

namespace sandbox {

struct GraphError {
  int status = 400;
  std::string code{};
  std::string message{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

WebAnswer graph_answer(const GraphError& error);
// What Graph says of a token that is not good.
GraphError token_refusal(TokenFault fault, bool missing);
// The answer that a fault asks for.
WebAnswer graph_answer(const Fault& fault);

}  // namespace sandbox
