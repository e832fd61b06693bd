// graph_answer: the error in an answer of Microsoft Graph: {"error":{"code","message","innerError":
// {…}}}. Source: facts/providers.md 3.8. JSON is seen in graph_answer.cpp only, which only the
// helper links. Limits: 64 KiB, 16 levels, 8 inner codes. Trusts: nothing; an answer that is no
// such JSON has no code, and its status decides.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace transport {

struct GraphFault {
  std::string code{};
  std::string message{};  // as the server wrote it: to be cleaned before it is shown
  std::vector<std::string> inner_codes{};  // outermost first
};

GraphFault read_graph_fault(std::string_view body);

}  // namespace transport
