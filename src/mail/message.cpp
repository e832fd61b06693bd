#include "mail/message.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace mail {

namespace {

constexpr std::size_t header_limit_bytes = 1024UL * 1024;
// RFC 5322 2.1.1: no line is longer; a longer one begins no field.
constexpr std::size_t name_limit_bytes = 998;
constexpr std::size_t piece_bytes = std::size_t{64} * 1024;

// Long lines, 8-bit bytes and NULs of a body that comes in pieces. A line is long when no LF stands
// within 1,000 octets: only the last one in that reach is looked for, so that few bytes are.
class BodyFacts {
 public:
  void take(std::string_view piece) {
    eight_bit_ = eight_bit_ || !base::is_ascii(piece);
    nul_ = nul_ || piece.find('\0') != std::string_view::npos;
    while (!long_ && !piece.empty()) {
      const std::size_t reach = std::min(piece.size(), line_limit_bytes - column_);
      const std::size_t end = piece.substr(0, reach).rfind('\n');
      if (end != std::string_view::npos) {
        column_ = 0;
        piece.remove_prefix(end + 1);
      } else if (reach < piece.size() || column_ + reach == line_limit_bytes) {
        long_ = true;
      } else {
        column_ += reach;
        return;
      }
    }
  }

  void write_to(Message& message) const {
    message.body_is_8bit = eight_bit_;
    message.body_has_nul = nul_;
    message.body_has_long_line = long_ || column_ > name_limit_bytes;
  }

 private:
  static constexpr std::size_t line_limit_bytes = name_limit_bytes + 2;  // with CRLF

  std::size_t column_ = 0;  // octets since the last LF
  bool eight_bit_ = false;
  bool nul_ = false;
  bool long_ = false;
};

// Where the name of a field ends (RFC 5322 3.6.8, with the blanks of 4.5 before the colon), or 0.
// `colon` is where its colon is.
std::size_t end_of_name(std::string_view line, std::size_t& colon) {
  std::size_t end = 0;
  while (end < line.size() && line[end] > ' ' && line[end] < 0x7F && line[end] != ':') ++end;
  if (end == 0 || end > name_limit_bytes) return 0;
  colon = end;
  while (colon < line.size() && colon <= name_limit_bytes && base::is_blank(line[colon])) ++colon;
  return colon < line.size() && line[colon] == ':' ? end : 0;
}

bool all_blank(std::string_view line) {
  return std::all_of(line.begin(), line.end(), base::is_blank);
}

// Takes a message piece by piece and line by line, until the header ends; then only measures.
class Splitter {
 public:
  explicit Splitter(Message& message) : message_(message) {}

  base::Done take(std::string_view piece) {
    while (!in_body_ && !piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::size_t count = end == std::string_view::npos ? piece.size() : end + 1;
      // A line that is no field is not held for longer than it takes to see that.
      const std::size_t near = std::min(count, 2 * name_limit_bytes);
      line_ += piece.substr(0, near);
      piece.remove_prefix(near);
      base::Done judged = near == count && end != std::string_view::npos ? judge_line() : peek();
      if (!judged) return judged;
    }
    if (in_body_) facts_.take(piece);
    return base::done();
  }

  bool in_body() const { return in_body_; }

  base::Done finish() {
    if (!in_body_ && !line_.empty()) {
      base::Done judged = judge_line();
      if (!judged) return judged;
    }
    if (!in_body_) message_.body_offset = line_begin_;
    facts_.write_to(message_);
    return base::done();
  }

 private:
  enum class Line : std::uint8_t { field, more, empty, mailbox_mark, none };

  // Of a line or of its first 998 octets or more.
  Line kind_of(std::string_view line) const {
    std::size_t colon = 0;
    if (line.empty()) return Line::empty;
    if (base::is_blank(line[0])) return message_.header.fields.empty() ? Line::none : Line::more;
    if (end_of_name(line, colon) > 0) return Line::field;
    const bool mark = line.starts_with("From ") || line.starts_with(">From ");
    if (mark && marks_left_ > 0 && message_.header.fields.empty() &&
        line.size() <= name_limit_bytes) {
      return Line::mailbox_mark;
    }
    return Line::none;
  }

  std::size_t held_bytes() const { return static_cast<std::size_t>(line_begin_) + line_.size(); }

  // Part of a line: enough to see that it is body, or that the header grows too long.
  base::Done peek() {
    if (line_.size() > 2 * name_limit_bytes && kind_of(line_) == Line::none) {
      begin_body(line_begin_, line_);
    }
    return judge_size();
  }

  base::Done judge_size() const {
    if (in_body_ || held_bytes() <= header_limit_bytes) return base::done();
    return base::failure(base::Fault::bad_message, "message header over 1 MiB",
                         "put an empty line between header and text");
  }

  base::Done judge_line() {
    std::string_view line = line_;
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const Line kind = kind_of(line);
    if (kind == Line::none) {
      begin_body(line_begin_, line_);
      return base::done();
    }
    const std::uint64_t behind = line_begin_ + line_.size();
    if (kind == Line::empty) {
      begin_body(behind, {});
      return base::done();
    }
    if (line.find('\0') != std::string_view::npos) {
      return base::failure(base::Fault::bad_message, "NUL byte in the message header", "remove it");
    }
    base::Done small = judge_size();
    if (!small) return small;
    keep(kind, line);
    line_begin_ = behind;
    line_.clear();
    return base::done();
  }

  void keep(Line kind, std::string_view line) {
    std::vector<Field>& fields = message_.header.fields;
    if (kind == Line::field) {
      std::size_t colon = 0;
      const std::size_t name_end = end_of_name(line, colon);
      fields.push_back(
          Field{std::string(line.substr(0, name_end)), std::string(line.substr(colon + 1))});
    } else if (kind == Line::more && !all_blank(line)) {
      fields.back().body += "\r\n";
      fields.back().body += line;
    } else if (kind == Line::mailbox_mark) {
      --marks_left_;
    }
  }

  void begin_body(std::uint64_t offset, std::string_view first) {
    in_body_ = true;
    message_.body_offset = offset;
    facts_.take(first);
    line_ = std::string();
  }

  Message& message_;
  BodyFacts facts_{};
  std::string line_{};            // the header line that is being read, with its line end
  std::uint64_t line_begin_ = 0;  // its offset
  int marks_left_ = 2;            // "From " and ">From " lines of an mbox
  bool in_body_ = false;
};

}  // namespace

base::Result<Message> split(base::Scratch bytes, Extent extent) {
  Message message;
  Splitter splitter(message);
  std::string piece(std::min<std::uint64_t>(bytes.size_bytes(), piece_bytes), '\0');
  base::Done taken = base::done();
  for (std::uint64_t at = 0; taken && at < bytes.size_bytes();) {
    base::Result<std::size_t> got = bytes.read_at(at, piece.data(), piece.size());
    if (!got) return std::move(got).error();
    taken = splitter.take(std::string_view(piece.data(), *got));
    at += *got;
    if (extent == Extent::header_only && splitter.in_body()) break;
  }
  if (taken) taken = splitter.finish();
  if (!taken) return std::move(taken).error();
  message.bytes = std::move(bytes);
  return message;
}

base::Done measure_body(Message& message) {
  BodyFacts facts;
  base::Done taken =
      message.bytes.each_piece(message.body_offset, [&facts](std::string_view piece) {
        facts.take(piece);
        return base::done();
      });
  if (!taken) return taken;
  facts.write_to(message);
  return base::done();
}

}  // namespace mail
