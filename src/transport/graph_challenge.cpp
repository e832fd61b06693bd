#include "transport/graph_challenge.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "base/seal.h"
#include "base/text.h"

namespace transport {

namespace {

constexpr std::size_t limit = 4096;

// The value of `name="…"`, where the name begins a parameter and is no part of another's value.
std::string_view parameter(std::string_view field, std::string_view name) {
  bool quoted = false;
  bool begins = true;
  for (std::size_t at = 0; at < field.size(); ++at) {
    const char c = field[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
      continue;
    }
    const std::string_view rest = field.substr(at);
    const std::size_t head = name.size() + 2;
    if (begins && base::starts_with_ignoring_case(rest, name) && rest.size() > head &&
        rest.substr(name.size(), 2) == "=\"") {
      const std::size_t end = rest.find('"', head);
      return end == std::string_view::npos ? std::string_view() : rest.substr(head, end - head);
    }
    quoted = c == '"';
    begins = c == ',' || base::is_blank(c);
  }
  return {};
}

}  // namespace

std::string claims_of(std::string_view authenticate) {
  if (authenticate.size() > limit) return {};
  std::string encoded(parameter(authenticate, "claims"));
  // Both alphabets are met, with and without padding.
  std::replace(encoded.begin(), encoded.end(), '-', '+');
  std::replace(encoded.begin(), encoded.end(), '_', '/');
  while (encoded.size() % 4 != 0) encoded += '=';
  base::Result<std::string> claims = base::from_base64(encoded);
  if (!claims) return {};
  const std::string_view text = base::trim(*claims);
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return {};
  if (base::has_control(text) || !base::is_utf8(text)) return {};
  return std::string(text);
}

}  // namespace transport
