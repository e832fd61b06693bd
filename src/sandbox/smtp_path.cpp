#include "sandbox/smtp_path.h"

#include <algorithm>

#include "base/text.h"

namespace sandbox {

namespace {

constexpr std::size_t path_limit = 254;
constexpr std::size_t parameter_limit = 16;

// Where the bracket that closes the path stands; one inside a quoted local part does not count.
std::size_t closing_bracket(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '>' && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

bool is_atext(char c) {
  constexpr std::string_view marks = "!#$%&'*+-/=?^_`{|}~";
  const char lowered = base::to_lower(c);
  return (lowered >= 'a' && lowered <= 'z') || base::is_digit(c) ||
         static_cast<unsigned char>(c) >= 0x80 || marks.find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view text) {
  for (const std::string_view piece : base::split(text, '.')) {
    if (piece.empty() || !std::all_of(piece.begin(), piece.end(), is_atext)) return false;
  }
  return true;
}

bool is_quoted_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return false;
    if (text[i] == '\\' && ++i == text.size()) return false;
  }
  return true;
}

bool is_domain(std::string_view domain) {
  if (domain.empty() || domain.size() > 253) return false;
  if (domain.front() == '[') return domain.back() == ']' && domain.size() > 2;
  for (const std::string_view label : base::split(domain, '.')) {
    const bool sound = !label.empty() && label.size() <= 63 && label.front() != '-' &&
                       label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
                         const char lowered = base::to_lower(c);
                         return (lowered >= 'a' && lowered <= 'z') || base::is_digit(c) ||
                                c == '-' || static_cast<unsigned char>(c) >= 0x80;
                       });
    if (!sound) return false;
  }
  return true;
}

}  // namespace

bool is_mailbox(std::string_view address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos || address.size() > path_limit) return false;
  const std::string_view local = address.substr(0, at);
  return (is_dot_string(local) || is_quoted_string(local)) && is_domain(address.substr(at + 1)) &&
         !base::has_control(address) && base::is_utf8(address);
}

bool parse_path_command(std::string_view arguments, std::string_view keyword, PathCommand& out) {
  if (!base::starts_with_ignoring_case(arguments, keyword)) return false;
  arguments.remove_prefix(keyword.size());
  if (arguments.empty() || arguments.front() != '<') return false;
  const std::size_t close = closing_bracket(arguments);
  if (close == std::string_view::npos) return false;
  out.address = arguments.substr(1, close - 1);
  out.ascii = base::is_ascii(out.address);
  if (!out.address.empty() && !is_mailbox(out.address)) return false;
  const std::string_view rest = arguments.substr(close + 1);
  if (!rest.empty() && rest.front() != ' ') return false;
  for (const std::string& word : base::words(rest)) {
    const std::size_t equals = word.find('=');
    std::string name;
    for (const char c : word.substr(0, equals)) {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    out.parameters.emplace_back(name, equals == std::string::npos ? "" : word.substr(equals + 1));
  }
  return out.parameters.size() <= parameter_limit && !base::has_control(rest);
}

}  // namespace sandbox
