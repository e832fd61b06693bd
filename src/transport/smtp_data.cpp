#include "transport/smtp_data.h"

namespace transport {

namespace {
constexpr std::size_t write_bytes = std::size_t{64} * 1024;
// So that a piece with its stuffing never makes the buffer grow far beyond one write.
constexpr std::size_t slice_bytes = std::size_t{16} * 1024;
constexpr std::size_t window_bytes = 1024;
}  // namespace

void DotStuffer::feed(std::string_view piece, std::string& out) {
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
    if (at_line_start_ && first == '.') out += '.';
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

void DotStuffer::finish(std::string& out) {
  if (after_cr_ || !at_line_start_) out += "\r\n";
  after_cr_ = false;
  at_line_start_ = true;
  out += ".\r\n";
}

base::Done ContentWriter::feed(std::string_view piece) {
  while (!piece.empty()) {
    const std::string_view slice = piece.substr(0, slice_bytes);
    stuffer_.feed(slice, buffer_);
    piece.remove_prefix(slice.size());
    if (buffer_.size() < write_bytes) continue;
    base::Done sent = put_(buffer_, false);
    if (!sent) return sent;
    buffer_.clear();
  }
  return base::done();
}

base::Done ContentWriter::finish(std::string_view behind) {
  stuffer_.finish(buffer_);
  buffer_ += behind;
  return put_(buffer_, true);
}

}  // namespace transport
