#include "sandbox/data_filter.h"

#include <algorithm>

namespace sandbox {

void DataFilter::in_line(char c, std::string& out) {
  if (c == '\r') {
    state_ = State::cr;
    return;
  }
  state_ = State::in_line;
  if (c == '\n') {
    faults_.bare_lf = true;
  } else if (c == '\0') {
    faults_.nul = true;
  } else if (static_cast<unsigned char>(c) >= 0x80) {
    faults_.eight_bit = true;
  }
  ++length_;
  faults_.longest_line = std::max(faults_.longest_line, length_);
  out += c;
}

std::size_t DataFilter::take(std::string_view input, std::string& out) {
  std::size_t taken = 0;
  while (taken < input.size() && state_ != State::ended) {
    const char c = input[taken++];
    switch (state_) {
      case State::line_start:
        length_ = 0;
        if (c == '.') {
          state_ = State::dot;
        } else {
          in_line(c, out);
        }
        break;
      case State::dot:
        if (c == '\r') {
          state_ = State::dot_cr;
        } else {
          in_line(c, out);
        }
        break;
      case State::dot_cr:
        if (c == '\n') {
          state_ = State::ended;
        } else {
          faults_.bare_cr = true;
          out += '\r';
          in_line(c, out);
        }
        break;
      case State::cr:
        if (c == '\n') {
          out += "\r\n";
          state_ = State::line_start;
        } else {
          faults_.bare_cr = true;
          out += '\r';
          in_line(c, out);
        }
        break;
      case State::in_line:
        in_line(c, out);
        break;
      case State::ended:
        break;
    }
  }
  return taken;
}

}  // namespace sandbox
