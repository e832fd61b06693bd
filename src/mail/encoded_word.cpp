#include "mail/encoded_word.h"

#include <algorithm>

#include "base/seal.h"
#include "base/text.h"

namespace mail {
namespace {

constexpr std::size_t word_limit = 75;  // RFC 2047 2
constexpr std::size_t line_limit = 76;
constexpr std::size_t fold_after = 44;  // columns: a word that starts behind would be short

// RFC 2047 5 (3): what may stand for itself in a phrase, and so everywhere.
bool stands_for_itself(char c) {
  const char low = base::to_lower(c);
  return base::is_digit(c) || (low >= 'a' && low <= 'z') || c == '!' || c == '*' || c == '+' ||
         c == '-' || c == '/';
}

std::size_t q_size(std::string_view text) {
  std::size_t size = 0;
  for (const char c : text) size += stands_for_itself(c) || c == ' ' ? 1U : 3U;
  return size;
}

// Q where a person can still read it, or where it is shorter anyway.
bool reads_well_as_q(std::string_view text) {
  const std::size_t size = q_size(text);
  return size <= 24 || size <= text.size() * 5 / 3;
}

std::string q_text(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (stands_for_itself(c))
      out += c;
    else if (c == ' ')
      out += '_';
    else
      out.append({'=', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

// Octets of the character that starts a valid UTF-8 text.
std::size_t character_size(std::string_view text, bool utf8) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (!utf8 || lead < 0xC0) return 1;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// How much of `text` fits into a payload of `room` octets, whole characters, at least one.
std::size_t fitting(std::string_view text, bool utf8, bool as_q, std::size_t room) {
  std::size_t taken = 0;
  std::size_t payload = 0;
  while (taken < text.size()) {
    const std::size_t step = character_size(text.substr(taken), utf8);
    const std::size_t grown =
        as_q ? payload + q_size(text.substr(taken, step)) : (taken + step + 2) / 3 * 4;
    if (taken > 0 && grown > room) break;
    payload = grown;
    taken += step;
  }
  return taken;
}

std::string unfolded(std::string_view blank) {
  std::string out;
  for (const char c : blank)
    if (c != '\r' && c != '\n') out += ' ';
  return out;
}

}  // namespace

std::string_view charset_of(std::string_view text) {
  return base::is_utf8(text) ? "utf-8" : "windows-1252";
}

bool is_encoded_word(std::string_view raw) {
  return raw.size() >= 8 && raw.substr(0, 2) == "=?" && raw.substr(raw.size() - 2) == "?=" &&
         base::is_ascii(raw);
}

void FoldedText::add(std::string_view text) {
  out_.append(text);
  const std::size_t line = text.rfind('\n');
  if (line != std::string_view::npos) {
    column_ = text.size() - line - 1;
    encoded_on_line_ = false;
  } else {
    column_ += text.size();
  }
}

// Turns the blanks at the end into the start of a new line, unless nothing else stands before them.
void FoldedText::fold_before_blank() {
  std::size_t at = out_.size();
  while (at > 0 && base::is_blank(out_[at - 1])) --at;
  if (at == out_.size() || at == 0 || out_[at - 1] == '\n') return;
  const std::string blank = out_.substr(at);
  out_.resize(at);
  add("\r\n" + blank);
}

void FoldedText::add_raw(std::string_view text) {
  if (text.empty()) return;
  const bool blank_first = base::is_blank(text[0]);
  const bool more = !base::trim(text).empty();
  if (after_encoded_ && !blank_first && text[0] != ')' && text[0] != '\r') add(" ");
  const std::size_t first_line = std::min(text.find('\r'), text.size());
  if (encoded_on_line_ && blank_first && more && column_ + first_line > line_limit &&
      !base::trim(text.substr(0, first_line)).empty())
    add("\r\n");
  add(text);
  after_encoded_ = false;
}

void FoldedText::add_encoded(std::string_view meaning) {
  std::string text(meaning);
  for (char& c : text)
    if (base::is_control(c)) c = ' ';
  const bool utf8 = base::is_utf8(text);
  const bool as_q = reads_well_as_q(text);
  const std::string start = "=?" + std::string(charset_of(text)) + (as_q ? "?Q?" : "?B?");
  const std::size_t overhead = start.size() + 2;
  if (!out_.empty() && !base::is_blank(out_.back()) && out_.back() != '(') add(" ");
  if (column_ > fold_after) fold_before_blank();
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t free = column_ < line_limit ? line_limit - column_ : 0;
    const std::size_t room = std::max<std::size_t>(std::min(word_limit, free), overhead + 12);
    const std::size_t size = fitting(rest, utf8, as_q, room - overhead);
    const std::string_view piece = rest.substr(0, size);
    add(start + (as_q ? q_text(piece) : base::base64(piece)) + "?=");
    rest.remove_prefix(size);
    if (!rest.empty()) add("\r\n ");
  }
  after_encoded_ = encoded_on_line_ = true;
}

void FoldedText::add_words(const std::vector<Word>& words) {
  for (std::size_t i = 0; i < words.size();) {
    if (!words[i].beyond_ascii) {
      add_raw(std::string(words[i].blank) + std::string(words[i].raw));
      ++i;
      continue;
    }
    std::size_t last = i;
    for (std::size_t j = i; j < words.size() && !words[j].encoded; ++j)
      if (words[j].beyond_ascii) last = j;
    // White space between two encoded words is not shown: it must be inside one of them.
    std::string meaning = i > 0 && words[i - 1].encoded ? unfolded(words[i].blank) : "";
    for (std::size_t j = i; j <= last; ++j)
      meaning += (j > i ? unfolded(words[j].blank) : "") + words[j].meaning;
    if (last + 1 < words.size() && words[last + 1].encoded)
      meaning += unfolded(words[last + 1].blank);
    add_raw(words[i].blank);
    add_encoded(meaning);
    i = last + 1;
  }
}

}  // namespace mail
