#include "token/flat_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/seal.h"
#include "base/text.h"

namespace token {

namespace {
constexpr std::size_t body_limit_bytes = std::size_t{64} * 1024;
constexpr std::size_t depth_limit = 32;
constexpr std::size_t name_limit = 64;
constexpr std::size_t list_limit = 64;
}  // namespace

// Takes the events of the parser, which keeps its own stack: nesting costs no call depth.
class FlatReader {
 public:
  explicit FlatReader(FlatJson& json) : json_(json) {}

  bool null() { return depth_ > 0; }
  bool boolean(bool) { return depth_ > 0; }
  bool number_integer(std::int64_t value) { return take(value); }
  bool number_unsigned(std::uint64_t value) {
    return take(value > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string&) {
    if (!(value > -1e15 && value < 1e15)) return depth_ > 0;
    return take(static_cast<std::int64_t>(std::floor(value)));
  }
  bool string(std::string& value) {
    if (depth_ == 0) return false;
    if (depth_ == 1) json_.values_[name_].text = base::Secret(value);
    if (depth_ == 2 && in_list_) {
      std::vector<std::string>& list = json_.values_[name_].list;
      if (list.size() < list_limit) list.push_back(value);
    }
    base::wipe(value);  // the parser's own buffer
    return true;
  }
  bool binary(std::vector<std::uint8_t>&) { return false; }
  bool start_object(std::size_t) { return open(true); }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(false); }
  bool end_array() { return close(); }
  bool key(std::string& value) {
    if (depth_ != 1) return true;
    name_ = value;
    if (json_.values_.size() == name_limit || json_.values_.contains(name_)) return false;
    json_.values_[name_];
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) {
    return false;
  }

 private:
  bool open(bool object) {
    if (depth_ == 0 && !object) return false;
    if (depth_ == 1) in_list_ = !object;
    return ++depth_ <= depth_limit;
  }
  bool close() {
    --depth_;
    return true;
  }
  bool take(std::int64_t value) {
    if (depth_ == 1) json_.values_[name_].number = value;
    return depth_ > 0;
  }

  FlatJson& json_;
  std::size_t depth_ = 0;
  bool in_list_ = false;
  std::string name_;
};

std::string_view FlatJson::text(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string_view() : found->second.text.reveal();
}

std::int64_t FlatJson::number(const std::string& name, std::int64_t otherwise) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return otherwise;
  if (found->second.number) return *found->second.number;
  std::int64_t value = 0;
  const bool written = base::parse_number(found->second.text.reveal(), INT64_MIN, INT64_MAX, value);
  return written ? value : otherwise;
}

std::vector<std::string> FlatJson::list(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return {};
  if (found->second.text.empty()) return found->second.list;
  return {std::string(found->second.text.reveal())};
}

std::optional<FlatJson> read_flat_json(std::string_view body) {
  if (body.empty() || body.size() > body_limit_bytes) return std::nullopt;
  FlatJson json;
  FlatReader reader(json);
  if (!nlohmann::json::sax_parse(body.begin(), body.end(), &reader)) return std::nullopt;
  return json;
}

std::optional<FlatJson> read_claims(std::string_view jwt) {
  const std::vector<std::string_view> parts = base::split(jwt.substr(0, body_limit_bytes), '.');
  if (parts.size() != 3) return std::nullopt;
  base::Result<std::string> claims = base::from_base64url(parts[1]);
  if (!claims) return std::nullopt;
  return read_flat_json(*claims);
}

}  // namespace token
