// smtp_data: the content of a message on its way to the server. Source: RFC 5321 4.5.2
// (transparency), 2.3.8 (CRLF is the only line end); RFC 3030 (BDAT). By DATA a line that begins
// with a dot gets another, and the end is CRLF.CRLF, once; by BDAT each piece is counted, and
// nothing is added. What comes in has CRLF line ends (mail/read); a bare CR or LF that came through
// all the same never leaves, since servers disagree whether it ends a line: it becomes CRLF.
// Limits: 80 KiB of memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace transport {

enum class Framing : std::uint8_t { dots, counted };

class WireLines {
 public:
  explicit WireLines(Framing framing = Framing::dots) : framing_(framing) {}
  // Appends the piece, as it leaves, to `out`. Pieces may be cut anywhere.
  void feed(std::string_view piece, std::string& out);
  // The end of the content: completes the last line; by DATA, ".CRLF".
  void finish(std::string& out);

 private:
  bool leaves_as_it_is(std::string_view piece) const;

  Framing framing_;
  bool at_line_start_ = true;
  bool after_cr_ = false;
};

// Gathers what it is fed into writes of about 48 KiB, and everything into one when it fits.
// Counted, each write is a chunk with its BDAT command, and the last one says LAST.
class ContentWriter {
 public:
  using Put = std::function<base::Done(std::string_view bytes, bool last)>;
  ContentWriter(Framing framing, Put put);
  // What goes before the content in the first write: MAIL and RCPT.
  void lead(std::string_view commands) { lead_ = commands; }
  base::Done feed(std::string_view piece);
  // Sends the rest, the end of the content and `behind` it (QUIT, or nothing) in one write.
  base::Done finish(std::string_view behind);

 private:
  base::Done put(std::string_view behind, bool last);

  Framing framing_;
  Put put_;
  WireLines lines_;
  std::string buffer_;
  std::string lead_;
};

}  // namespace transport
