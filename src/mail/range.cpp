#include "mail/range.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace mail {
namespace {

// UTF-8 that comes in pieces: what is cut at the end of one waits for the next.
class Utf8Judge {
 public:
  void take(std::string_view piece) {
    if (!valid_) return;
    rest_.append(piece);
    const std::size_t whole = rest_.size() - cut(rest_);
    valid_ = base::is_utf8(std::string_view(rest_).substr(0, whole));
    rest_.erase(0, whole);
  }
  bool valid() const { return valid_ && rest_.empty(); }

 private:
  // Octets at the end that are the start of a longer character.
  static std::size_t cut(std::string_view text) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
      const auto byte = static_cast<unsigned char>(text[text.size() - back]);
      if (byte < 0x80) return 0;
      if (byte < 0xC0) continue;
      const std::size_t size = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
      return size > back ? back : 0;
    }
    return 0;
  }
  std::string rest_{};
  bool valid_ = true;
};

class Measure {
 public:
  void take(std::string_view piece) {
    facts_.size += piece.size();
    facts_.eight_bit += static_cast<std::uint64_t>(std::count_if(
        piece.begin(), piece.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }));
    facts_.nul = facts_.nul || piece.find('\0') != std::string_view::npos;
    utf8_.take(piece);
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::string_view part = piece.substr(0, end);
      if (!part.empty()) last_ = part.back();
      column_ += part.size();
      if (end == std::string_view::npos) return;
      end_line();
      piece.remove_prefix(end + 1);
    }
  }

  RangeFacts facts() {
    end_line();
    facts_.utf8 = utf8_.valid();
    return facts_;
  }

 private:
  void end_line() {
    if (column_ > 0 && last_ == '\r') --column_;
    facts_.longest_line = std::max(facts_.longest_line, column_);
    column_ = 0;
  }
  RangeFacts facts_{};
  Utf8Judge utf8_{};
  std::uint64_t column_ = 0;
  char last_ = '\0';
};

}  // namespace

base::Done each_piece_of(const base::Scratch& bytes, std::uint64_t begin, std::uint64_t end,
                         const std::function<base::Done(std::string_view)>& take) {
  std::array<char, 32768> buffer{};
  while (begin < end) {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - begin));
    const base::Result<std::size_t> read = bytes.read_at(begin, buffer.data(), wanted);
    if (!read.ok()) return read.error();
    if (read.value() == 0) break;
    base::Done taken = take(std::string_view(buffer.data(), read.value()));
    if (!taken.ok()) return taken;
    begin += read.value();
  }
  return base::done();
}

base::Result<RangeFacts> measure_range(const base::Scratch& bytes, std::uint64_t begin,
                                       std::uint64_t end) {
  Measure measure;
  base::Done read = each_piece_of(bytes, begin, end, [&](std::string_view piece) {
    measure.take(piece);
    return base::done();
  });
  if (!read.ok()) return std::move(read).error();
  return measure.facts();
}

}  // namespace mail
