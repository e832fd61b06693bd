// libFuzzer target: line ends and the dot rule. The same bytes in any cuts give the same lines;
// there is no bare CR and no bare LF; normalising twice changes nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mail/read.h"

namespace {

constexpr std::size_t enough = 1UL << 26;

void must(bool holds) {
  if (!holds) __builtin_trap();
}

std::string normal(std::string_view raw, mail::Dots dots, std::size_t cut) {
  base::Scratch bytes;
  mail::LineEnds lines(bytes, dots);
  for (std::size_t at = 0; at < raw.size(); at += cut) must(lines.feed(raw.substr(at, cut)).ok());
  must(lines.finish().ok());
  return *bytes.all(enough);
}

void check(std::string_view raw, mail::Dots dots, std::size_t cut) {
  const std::string once = normal(raw, dots, raw.size() + 1);
  must(normal(raw, dots, cut) == once);
  must(normal(once, mail::Dots::kept, cut) == once);
  char before = '\n';
  for (const char c : once) {
    must((c == '\n') == (before == '\r'));
    before = c;
  }
  must(before == '\n');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view raw(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = 1 + data[0] % 7U;
  check(raw, mail::Dots::kept, cut);
  check(raw, mail::Dots::rule, cut);
  return 0;
}
