#include "transport/graph_answer.h"

#include <nlohmann/json.hpp>

namespace transport {

namespace {

using Json = nlohmann::json;

constexpr std::size_t body_limit_bytes = std::size_t{64} * 1024;
constexpr int depth_limit = 16;
constexpr std::size_t inner_limit = 8;

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text(const Json& object, const char* name) {
  const Json* found = member(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

// Both spellings are met.
const Json* inner(const Json& object) {
  const Json* found = member(object, "innerError");
  return found != nullptr ? found : member(object, "innererror");
}

}  // namespace

GraphFault read_graph_fault(std::string_view body) {
  GraphFault fault;
  if (body.empty() || body.size() > body_limit_bytes) return fault;
  const auto not_too_deep = [](int depth, Json::parse_event_t, Json&) {
    return depth <= depth_limit;
  };
  const Json whole = Json::parse(body.begin(), body.end(), not_too_deep, false);
  const Json* error = member(whole, "error");
  if (error == nullptr) return fault;
  fault.code = text(*error, "code");
  fault.message = text(*error, "message");
  for (const Json* one = inner(*error); one != nullptr; one = inner(*one)) {
    if (fault.inner_codes.size() == inner_limit) break;
    std::string code = text(*one, "code");
    if (!code.empty()) fault.inner_codes.push_back(std::move(code));
  }
  return fault;
}

}  // namespace transport
