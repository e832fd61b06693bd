// wire: command lines and data bytes of one SMTP connection, strictly: a line ends in CRLF and in
// nothing else. Limits: the caller's line limit; at most 64 KiB are read ahead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "sandbox/tls_stream.h"

namespace sandbox {

class Wire {
 public:
  enum class Got : std::uint8_t { line, too_long, bare_line_feed, closed, timed_out };

  Wire(Connection& connection, std::int64_t timeout_ms)
      : connection_(connection), timeout_ms_(timeout_ms) {}

  // A line over the limit is read to its end and thrown away.
  Got line(std::string& into, std::size_t limit);
  // What is buffered, or else the next bytes; empty when the peer has gone or is silent too long.
  std::string_view bytes();
  void consume(std::size_t count) { at_ += count; }
  bool holds_more() const { return at_ < buffer_.size(); }
  void forget() {
    buffer_.clear();
    at_ = 0;
  }
  bool write(std::string_view bytes);
  bool timed_out() const { return timed_out_; }
  Connection& connection() { return connection_; }
  base::Deadline deadline() const { return base::Deadline::after_ms(timeout_ms_); }

 private:
  bool fill();
  Connection& connection_;
  std::int64_t timeout_ms_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool timed_out_ = false;
};

}  // namespace sandbox
