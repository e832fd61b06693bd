#include "submit/dots.h"

namespace submit {

// Whether `c` is used up; when not, it is the first of a line's text.
bool Dots::at_start(char c, const std::function<void(std::string_view)>& take) {
  if (held_ == Held::nothing && c == '.') {
    held_ = Held::dot;
    return true;
  }
  if (held_ == Held::dot && c == '\r') {
    held_ = Held::dot_cr;
    return true;
  }
  const bool end =
      c == '\n' && (held_ == Held::dot_cr || (held_ == Held::dot && ends_ == Ends::lf));
  if (end) {
    ended_ = true;
    return true;
  }
  // The dot goes, what stood behind it stays.
  if (held_ == Held::dot_cr) take("\r");
  last_was_cr_ = held_ == Held::dot_cr;
  held_ = Held::nothing;
  line_start_ = false;
  return false;
}

std::size_t Dots::feed(std::string_view bytes, const std::function<void(std::string_view)>& take) {
  std::size_t at = 0;
  while (at < bytes.size() && !ended_) {
    if (line_start_ && at_start(bytes[at], take)) {
      ++at;
      continue;
    }
    const std::size_t newline = bytes.find('\n', at);
    const std::size_t end = newline == std::string_view::npos ? bytes.size() : newline + 1;
    const std::string_view text = bytes.substr(at, end - at);
    take(text);
    at = end;
    if (newline == std::string_view::npos) {
      last_was_cr_ = text.back() == '\r';
      break;
    }
    const bool after_cr = text.size() > 1 ? text[text.size() - 2] == '\r' : last_was_cr_;
    line_start_ = after_cr || ends_ == Ends::lf;
    last_was_cr_ = false;
  }
  return at;
}

}  // namespace submit
