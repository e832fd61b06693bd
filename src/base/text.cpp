#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace base {

namespace {

constexpr std::array<char, 16> hex_digits = {'0', '1', '2', '3', '4', '5', '6', '7',
                                             '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

// Length of the well-formed UTF-8 character at the start of text, or 0. Source: RFC 3629 section 4.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  if (text.empty()) return 0;
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// Of a well-formed character.
std::uint32_t code_point(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (lead < 0x80) return lead;
  std::uint32_t value = lead & (0x7FU >> character.size());
  for (const char c : character.substr(1))
    value = (value << 6) | (static_cast<unsigned char>(c) & 0x3FU);
  return value;
}

// Characters beyond ASCII that a terminal or viewer obeys instead of showing them: C1 controls,
// line and paragraph separators, direction marks, the byte order mark.
bool steers_a_terminal(std::string_view character) {
  struct Run {
    std::uint32_t first;
    std::uint32_t last;
  };
  static constexpr std::array runs = {Run{0x80, 0x9F},     Run{0x61C, 0x61C},
                                      Run{0x200E, 0x200F}, Run{0x2028, 0x202E},
                                      Run{0x2066, 0x2069}, Run{0xFEFF, 0xFEFF}};
  const std::uint32_t code = code_point(character);
  return std::any_of(runs.begin(), runs.end(),
                     [code](const Run& run) { return code >= run.first && code <= run.last; });
}

std::string escaped(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
  }
  return out;
}

// Reads a number and the unit letter behind it; `scale` says what a letter is worth, 0 for none.
template <typename Scale>
bool parse_scaled(std::string_view text, std::int64_t& value, Scale scale) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || number < 0) return false;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.size() > 1) return false;
  const std::int64_t factor = unit.empty() ? 1 : scale(unit[0]);
  if (factor == 0 || number > INT64_MAX / factor) return false;
  value = number * factor;
  return true;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, change});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && starts_with_ignoring_case(a, b);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (to_lower(text[i]) != to_lower(prefix[i])) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && is_blank(text[at])) ++at;
    std::size_t end = at;
    while (end < text.size() && !is_blank(text[end])) ++end;
    if (end > at) out.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

LinesAtAGlance look_at_lines(std::string_view block) {
  LinesAtAGlance out;
  if (block.empty()) return out;
  // Steps of fixed length and no branches: the compiler makes them 16 bytes at a time.
  constexpr std::size_t step = 64;
  const char* at = block.data();
  std::size_t left = block.size() - 1;
  unsigned char lone = block.front() == '\n' || block.back() == '\r' ? 1 : 0;
  unsigned char dots = 0;
  const auto look = [&lone, &dots](const char* from, std::size_t count) {
    unsigned char lone_here = 0;
    unsigned char dots_here = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto lf = static_cast<unsigned char>(from[i + 1] == '\n');
      const auto cr = static_cast<unsigned char>(from[i] == '\r');
      const auto ended = static_cast<unsigned char>(from[i] == '\n');
      const auto dot = static_cast<unsigned char>(from[i + 1] == '.');
      lone_here = static_cast<unsigned char>(lone_here | (lf ^ cr));
      dots_here = static_cast<unsigned char>(dots_here | (ended & dot));
    }
    lone = static_cast<unsigned char>(lone | lone_here);
    dots = static_cast<unsigned char>(dots | dots_here);
  };
  for (; left >= step; left -= step, at += step) look(at, step);
  look(at, left);
  out.only_crlf = lone == 0;
  out.dot_first = dots != 0;
  return out;
}

bool is_ascii(std::string_view text) {
  // Blocks of fixed length and no branches: the compiler looks at 16 bytes at a time.
  constexpr std::size_t block = 64;
  while (text.size() >= block) {
    unsigned char all = 0;
    for (std::size_t i = 0; i < block; ++i) {
      all = static_cast<unsigned char>(all | static_cast<unsigned char>(text[i]));
    }
    if (all >= 0x80) return false;
    text.remove_prefix(block);
  }
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

std::string clean(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    const bool bad = length == 0 || is_control(text[0]) || steers_a_terminal(character);
    const std::string piece = bad ? escaped(character) : std::string(character);
    if (out.size() + piece.size() > limit) return out + "...";
    out += piece;
    text.remove_prefix(character.size());
  }
  return out;
}

std::string percent_encode(std::string_view text, std::string_view plain) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const char low = to_lower(c);
    if ((low >= 'a' && low <= 'z') || is_digit(c) || plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool parse_number(std::string_view text, std::int64_t low, std::int64_t high, std::int64_t& value) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return false;
  if (number < low || number > high) return false;
  value = number;
  return true;
}

bool parse_duration(std::string_view text, std::int64_t& seconds) {
  return parse_scaled(text, seconds, [](char unit) -> std::int64_t {
    switch (unit) {
      case 's':
        return 1;
      case 'm':
        return 60;
      case 'h':
        return 3600;
      case 'd':
        return 86400;
      case 'w':
        return 604800;
      default:
        return 0;
    }
  });
}

bool parse_size(std::string_view text, std::int64_t& bytes) {
  return parse_scaled(text, bytes, [](char unit) -> std::int64_t {
    switch (to_lower(unit)) {
      case 'k':
        return 1LL << 10;
      case 'm':
        return 1LL << 20;
      case 'g':
        return 1LL << 30;
      default:
        return 0;
    }
  });
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  // More than a third of the word changed is a guess, not a typing mistake.
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t changes = distance(word, candidate);
    if (changes < best_distance) {
      best_distance = changes;
      best = candidate;
    }
  }
  return best;
}

}  // namespace base
