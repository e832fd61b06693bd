// data_filter: the bytes between 354 and the final dot, as a state machine.
// Source: RFC 5321 section 4.5.2. Only CR LF . CR LF ends the data; a bare CR or LF never does
// (SMTP smuggling, CVE-2023-51764), and is remembered. Memory: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sandbox {

// What is wrong with the lines of a message.
struct LineFaults {
  bool bare_cr = false;
  bool bare_lf = false;
  bool nul = false;
  bool eight_bit = false;
  std::size_t longest_line = 0;  // octets without CRLF
};

class DataFilter {
 public:
  // Appends the message's bytes (without the stuffed dots) to `out`; answers how much of the input
  // was taken. What follows the end is left alone.
  std::size_t take(std::string_view input, std::string& out);
  bool ended() const { return state_ == State::ended; }
  const LineFaults& faults() const { return faults_; }

 private:
  enum class State : std::uint8_t { line_start, dot, dot_cr, in_line, cr, ended };
  void in_line(char c, std::string& out);
  State state_ = State::line_start;
  std::size_t length_ = 0;
  LineFaults faults_;
};

}  // namespace sandbox
