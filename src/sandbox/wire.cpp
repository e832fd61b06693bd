#include "sandbox/wire.h"

namespace sandbox {

namespace {
constexpr std::size_t read_bytes = 64 * 1024;
}

bool Wire::fill() {
  if (at_ > 0) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  const std::size_t held = buffer_.size();
  buffer_.resize(held + read_bytes);
  const base::Result<std::size_t> got =
      connection_.read(buffer_.data() + held, read_bytes, deadline());
  buffer_.resize(held + (got ? *got : 0));
  timed_out_ = !got && got.error().cause == "timed out";
  return got && *got > 0;
}

Wire::Got Wire::line(std::string& into, std::size_t limit) {
  into.clear();
  bool too_long = false;
  for (;;) {
    const std::string_view held = std::string_view(buffer_).substr(at_);
    const std::size_t end = held.find('\n');
    const std::size_t length = end == std::string_view::npos ? held.size() : end + 1;
    too_long = too_long || into.size() + length > limit;
    if (too_long) {
      into.clear();
    } else {
      into.append(held.substr(0, length));
    }
    at_ += length;
    if (end != std::string_view::npos) break;
    if (!fill()) return timed_out_ ? Got::timed_out : Got::closed;
  }
  if (too_long) return Got::too_long;
  if (into.size() < 2 || into[into.size() - 2] != '\r') return Got::bare_line_feed;
  into.resize(into.size() - 2);
  return Got::line;
}

std::string_view Wire::bytes() {
  if (!holds_more() && !fill()) return {};
  return std::string_view(buffer_).substr(at_);
}

bool Wire::write(std::string_view bytes) {
  return connection_.write(bytes, deadline()).ok();
}

}  // namespace sandbox
