// text: small questions about ASCII and UTF-8 text. No locale: all of it means the same everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace base {

bool is_blank(char c);  // space or tab
bool is_digit(char c);
bool is_control(char c);  // below 0x20, or 0x7F
char to_lower(char c);
std::string lower(std::string_view text);
bool same_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
std::string_view trim(std::string_view text);           // blanks, CR and LF at both ends
std::vector<std::string> words(std::string_view text);  // split at runs of blanks
std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty pieces

bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);  // well formed: no overlong form, surrogate or stray byte
bool has_control(std::string_view text);

// A block of lines at a glance, at some bytes a cycle.
struct LinesAtAGlance {
  bool only_crlf = true;  // each LF has its CR before it and each CR its LF behind it, in the block
  bool dot_first = false;  // a line other than the first begins with a dot
};
LinesAtAGlance look_at_lines(std::string_view block);

// Text from outside made fit for one line of a log, a reply or a terminal: control bytes, bytes
// that are not UTF-8, and the bytes of characters that steer a terminal (U+0080 to U+009F, U+2028,
// U+2029, the direction marks, U+FEFF) become "\xNN", and what is over `limit` octets is cut, with
// "..." (never inside a character).
std::string clean(std::string_view text, std::size_t limit = 512);

// RFC 3986 2.1: letters, digits and what stands in `plain` as they are, every other octet as "%NN".
std::string percent_encode(std::string_view text, std::string_view plain = "-._~");

// Text that may stand in HTML, in an attribute too.
std::string html_escape(std::string_view text);

// A whole number within [low, high]; nothing else in the text.
bool parse_number(std::string_view text, std::int64_t low, std::int64_t high, std::int64_t& value);
// "90", "90s", "5m", "4h", "5d", "2w" as seconds.
bool parse_duration(std::string_view text, std::int64_t& seconds);
// "65536", "64k", "35M", "1G" as bytes (powers of 1024).
bool parse_size(std::string_view text, std::int64_t& bytes);

// The known word nearest to `word` by edit distance, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace base
