// smtp_reply: one reply of an SMTP server. Source: RFC 5321 4.2 (form), RFC 2034 and 3463 (enhanced
// codes). Limits: a line 2,048 octets, 100 lines, 64 KiB. A line that ends in LF alone is taken; a
// code outside 200 to 599, or another code on a continuation line, is not. Errors: Fault::protocol
// for what is no reply, else those of the stream. Trusts: nothing; the text is as it came, to be
// cleaned by who shows it; only what is ours and secret is blotted out, before anything else sees
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/trace.h"
#include "net/stream.h"
#include "transport/smtp_blot.h"

namespace transport {

constexpr std::size_t reply_line_limit = 2048;
constexpr std::size_t reply_lines_limit = 100;
constexpr std::size_t reply_bytes_limit = std::size_t{64} * 1024;

struct Reply {
  int code = 0;
  std::string status{};              // "5.7.3"; empty: none, or one that contradicts the code
  std::string text{};                // without code and status, lines joined by blanks
  std::vector<std::string> lines{};  // what follows the code, line by line, untouched
  bool positive() const { return code >= 200 && code < 300; }
  bool more_wanted() const { return code >= 300 && code < 400; }
  bool temporary() const { return code >= 400 && code < 500; }
};

// The whole reply by the deadline, however slowly its octets come. The trace gets it when it is
// whole, or what came of it.
base::Result<Reply> read_reply(net::LineReader& reader, base::Deadline deadline,
                               const base::Trace& trace, const Blot& blot = {});

// "250 2.0.0 OK <id@host>": for logs and errors; cleaned, at most `limit` octets.
std::string one_line(const Reply& reply, std::size_t limit = 400);

// The enhanced code at the start of a text ("5.7.3 Authentication ..."), or empty.
std::string_view leading_status(std::string_view text);

}  // namespace transport
