// flat_json: the top level of a small JSON object from outside: texts, whole numbers, and lists of
// texts; what is deeper is passed over. For answers of a device authorization endpoint, claims of a
// JWT, key files of service accounts. Only the helper links it. Limits: 64 KiB, 32 levels, 64
// names, 64 texts a list. A name that comes twice makes it no object. Trusts: nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace token {

class FlatJson {
 public:
  // Empty when absent or of another type.
  std::string_view text(const std::string& name) const;
  // Also of a number written as text, as some servers do.
  std::int64_t number(const std::string& name, std::int64_t otherwise) const;
  // A single text is a list of one.
  std::vector<std::string> list(const std::string& name) const;
  bool has(const std::string& name) const { return values_.contains(name); }

 private:
  friend std::optional<FlatJson> read_flat_json(std::string_view body);
  friend class FlatReader;
  struct Value {
    base::Secret text{};
    std::optional<std::int64_t> number{};
    std::vector<std::string> list{};
  };
  std::map<std::string, Value> values_;
};

std::optional<FlatJson> read_flat_json(std::string_view body);

// The claims of a JWT, whose signature is not looked at: its middle part.
std::optional<FlatJson> read_claims(std::string_view jwt);

}  // namespace token
