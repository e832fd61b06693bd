// json: the sandbox's one door to nlohmann-json. Keys keep their order, as in the services'
// answers. Never raises: text is parsed by read_json, written by write_json, and members are taken
// by the functions here, which answer with a default where the type does not fit.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

using Json = nlohmann::ordered_json;

// A discarded value (is_discarded()) when the text is no JSON.
inline Json read_json(std::string_view text) {
  return Json::parse(text.begin(), text.end(), nullptr, false);
}
inline std::string write_json(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

inline const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}
inline std::string text_member(const Json& object, const char* name, std::string otherwise = {}) {
  const Json* found = member(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : otherwise;
}
inline std::int64_t number_member(const Json& object, const char* name,
                                  std::int64_t otherwise = 0) {
  const Json* found = member(object, name);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : otherwise;
}
inline bool flag_member(const Json& object, const char* name, bool otherwise = false) {
  const Json* found = member(object, name);
  return found != nullptr && found->is_boolean() ? found->get<bool>() : otherwise;
}
inline std::vector<std::string> texts_member(const Json& object, const char* name) {
  std::vector<std::string> out;
  const Json* found = member(object, name);
  if (found == nullptr || !found->is_array()) return out;
  for (const Json& one : *found) {
    if (one.is_string()) out.push_back(one.get<std::string>());
  }
  return out;
}

}  // namespace sandbox
