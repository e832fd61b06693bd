#include "transport/smtp_data.h"

#include <utility>

#include "base/text.h"

namespace transport {

namespace {
constexpr std::size_t write_bytes = std::size_t{48} * 1024;
// So that a piece with its stuffing never makes the buffer grow far beyond one write.
constexpr std::size_t slice_bytes = std::size_t{16} * 1024;
constexpr std::size_t window_bytes = 1024;
}  // namespace

bool WireLines::leaves_as_it_is(std::string_view piece) const {
  if (after_cr_) return false;
  const base::LinesAtAGlance seen = base::look_at_lines(piece);
  if (!seen.only_crlf) return false;
  if (framing_ == Framing::counted) return true;
  return !seen.dot_first && !(at_line_start_ && piece.front() == '.');
}

void WireLines::feed(std::string_view piece, std::string& out) {
  if (piece.empty()) return;
  if (leaves_as_it_is(piece)) {
    out += piece;
    at_line_start_ = piece.back() == '\n';
    return;
  }
  while (!piece.empty()) {
    const char first = piece[0];
    if (after_cr_) {
      after_cr_ = false;
      at_line_start_ = true;
      out += "\r\n";
      if (first == '\n') {
        piece.remove_prefix(1);
        continue;
      }
    }
    if (first == '\r' || first == '\n') {
      if (first == '\n') {
        out += "\r\n";
        at_line_start_ = true;
      }
      after_cr_ = first == '\r';
      piece.remove_prefix(1);
      continue;
    }
    if (at_line_start_ && first == '.' && framing_ == Framing::dots) out += '.';
    at_line_start_ = false;
    // Two searches for one octet are far faster than one for either; the window keeps them cheap
    // when only one of the two occurs.
    std::string_view run = piece.substr(0, window_bytes);
    run = run.substr(0, run.find('\n'));
    run = run.substr(0, run.find('\r'));
    out += run;
    piece.remove_prefix(run.size());
  }
}

void WireLines::finish(std::string& out) {
  if (after_cr_ || !at_line_start_) out += "\r\n";
  after_cr_ = false;
  at_line_start_ = true;
  if (framing_ == Framing::dots) out += ".\r\n";
}

ContentWriter::ContentWriter(Framing framing, Put put)
    : framing_(framing), put_(std::move(put)), lines_(framing) {}

base::Done ContentWriter::feed(std::string_view piece) {
  while (!piece.empty()) {
    const std::string_view slice = piece.substr(0, slice_bytes);
    // Once, and not by doubling: a large message must not cost the sum of all sizes on the way.
    if (buffer_.size() + slice.size() > slice_bytes) buffer_.reserve(write_bytes + 2 * slice_bytes);
    lines_.feed(slice, buffer_);
    piece.remove_prefix(slice.size());
    if (buffer_.size() < write_bytes) continue;
    base::Done sent = put("", false);
    if (!sent) return sent;
  }
  return base::done();
}

base::Done ContentWriter::finish(std::string_view behind) {
  lines_.finish(buffer_);
  return put(behind, true);
}

base::Done ContentWriter::put(std::string_view behind, bool last) {
  std::string head = std::move(lead_);
  lead_.clear();
  if (framing_ == Framing::counted) {
    head += "BDAT " + std::to_string(buffer_.size()) + (last ? " LAST\r\n" : "\r\n");
  }
  buffer_ += behind;
  // The whole of it must be one write.
  if (!head.empty()) buffer_.insert(0, head);
  base::Done sent = put_(buffer_, last);
  buffer_.clear();
  return sent;
}

}  // namespace transport
