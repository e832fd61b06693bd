// smtp_data: the content of a message on its way through DATA. Source: RFC 5321 4.5.2
// (transparency), 2.3.8 (CRLF is the only line end). A line that begins with a dot gets another;
// the end is CRLF.CRLF, once. What comes in has CRLF line ends (mail/read); a bare CR or LF that
// came through all the same never leaves, since servers disagree whether it ends a line: it becomes
// CRLF. Limits: 64 KiB of memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace transport {

class DotStuffer {
 public:
  // Appends the stuffed piece to `out`. Pieces may be cut anywhere.
  void feed(std::string_view piece, std::string& out);
  // The end of the content: completes the last line, then ".CRLF".
  void finish(std::string& out);

 private:
  bool at_line_start_ = true;
  bool after_cr_ = false;
};

// Gathers what it is fed into writes of about 64 KiB, and everything into one when it fits.
class ContentWriter {
 public:
  using Put = std::function<base::Done(std::string_view bytes, bool last)>;
  explicit ContentWriter(Put put) : put_(std::move(put)) {}
  base::Done feed(std::string_view piece);
  // Sends the rest, the end of the content and `behind` it (QUIT, or nothing) in one write.
  base::Done finish(std::string_view behind);

 private:
  Put put_;
  DotStuffer stuffer_;
  std::string buffer_;
};

}  // namespace transport
