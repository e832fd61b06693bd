#include "token/redirect.h"

#include <algorithm>

#include "base/text.h"

namespace token {

namespace {

constexpr std::size_t query_limit_bytes = std::size_t{16} * 1024;
constexpr std::size_t field_limit = 32;
constexpr std::size_t word_limit = 64;
constexpr std::size_t description_limit = 600;

int digit_of(char c) {
  const std::size_t at = std::string_view("0123456789abcdef").find(base::to_lower(c));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// application/x-www-form-urlencoded, as RFC 6749 4.1.2 has it.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

struct Fields {
  std::optional<std::string> code{};
  std::optional<std::string> state{};
  std::optional<std::string> error{};
  std::optional<std::string> description{};

  std::optional<std::string>* find(std::string_view name) {
    if (name == "code") return &code;
    if (name == "state") return &state;
    if (name == "error") return &error;
    if (name == "error_description") return &description;
    return nullptr;
  }
};

}  // namespace

std::optional<Redirect> read_redirect(std::string_view query) {
  if (query.size() > query_limit_bytes) return std::nullopt;
  const std::vector<std::string_view> pieces = base::split(query, '&');
  if (pieces.size() > field_limit) return std::nullopt;
  Fields fields;
  for (const std::string_view piece : pieces) {
    const std::size_t equals = piece.find('=');
    std::optional<std::string>* field = fields.find(piece.substr(0, equals));
    if (field == nullptr) continue;
    std::optional<std::string> value =
        decoded(equals == std::string_view::npos ? "" : piece.substr(equals + 1));
    if (!value || *field) return std::nullopt;
    *field = std::move(value);
  }
  Redirect redirect;
  redirect.state = fields.state.value_or("");
  if (fields.code) {
    const bool visible = std::all_of(fields.code->begin(), fields.code->end(),
                                     [](char c) { return c > 0x20 && c < 0x7F; });
    if (!visible || (fields.error && !fields.error->empty())) return std::nullopt;
    redirect.answer.code = base::Secret::take(*fields.code);
  }
  redirect.answer.error = base::clean(fields.error.value_or(""), word_limit);
  redirect.answer.description = base::clean(fields.description.value_or(""), description_limit);
  return redirect;
}

bool same_secret_text(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    different |= static_cast<unsigned>(static_cast<unsigned char>(a[i])) ^
                 static_cast<unsigned>(static_cast<unsigned char>(b[i]));
  }
  return different == 0;
}

}  // namespace token
