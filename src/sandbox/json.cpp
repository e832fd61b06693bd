#include "sandbox/json.h"

#include <utility>

namespace sandbox {

Json read_json(std::string_view text) {
  return Json::parse(text.begin(), text.end(), nullptr, false);
}
std::string write_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}
std::string text_member(const Json& object, const char* name, std::string otherwise) {
  const Json* found = member(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::move(otherwise);
}
std::int64_t number_member(const Json& object, const char* name, std::int64_t otherwise) {
  const Json* found = member(object, name);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : otherwise;
}
bool flag_member(const Json& object, const char* name, bool otherwise) {
  const Json* found = member(object, name);
  return found != nullptr && found->is_boolean() ? found->get<bool>() : otherwise;
}
std::vector<std::string> texts_member(const Json& object, const char* name) {
  std::vector<std::string> out;
  const Json* found = member(object, name);
  if (found == nullptr || !found->is_array()) return out;
  for (const Json& one : *found) {
    if (one.is_string()) out.push_back(one.get<std::string>());
  }
  return out;
}

}  // namespace sandbox
