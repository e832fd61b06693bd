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
Json read_json(std::string_view text);
std::string write_json(const Json& value, int indent = -1);

const Json* member(const Json& object, const char* name);
std::string text_member(const Json& object, const char* name, std::string otherwise = {});
std::int64_t number_member(const Json& object, const char* name, std::int64_t otherwise = 0);
bool flag_member(const Json& object, const char* name, bool otherwise = false);
std::vector<std::string> texts_member(const Json& object, const char* name);

}  // namespace sandbox
