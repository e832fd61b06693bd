#include "submit/dots.h"

#include <string>

#include "catch.h"

namespace {

struct Heard {
  std::string content;
  std::string rest;
  bool ended = false;
};

// In pieces of `step` bytes, so that every cut is tried.
Heard feed(const std::string& bytes, submit::Dots::Ends ends, std::size_t step) {
  submit::Dots dots(ends);
  Heard heard;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::string piece = bytes.substr(at, step);
    const std::size_t taken =
        dots.feed(piece, [&](std::string_view text) { heard.content += text; });
    at += taken;
    if (dots.ended()) {
      heard.rest = bytes.substr(at);
      heard.ended = true;
      break;
    }
    REQUIRE(taken == piece.size());
  }
  return heard;
}

void check(const std::string& bytes, submit::Dots::Ends ends, bool ended,
           const std::string& content, const std::string& rest) {
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Heard heard = feed(bytes, ends, step);
    INFO(step);
    CHECK(heard.ended == ended);
    CHECK(heard.content == content);
    CHECK(heard.rest == rest);
  }
}

}  // namespace

TEST_CASE("dots: the content ends at CRLF dot CRLF, dots at line starts go", "[submit]") {
  using Ends = submit::Dots::Ends;
  check("a\r\n..b\r\n.\r\nQUIT\r\n", Ends::crlf, true, "a\r\n.b\r\n", "QUIT\r\n");
  check(".\r\nX", Ends::crlf, true, "", "X");
  check("..\r\n.\r\n", Ends::crlf, true, ".\r\n", "");
  check(".\ra\r\n.\r\n", Ends::crlf, true, "\ra\r\n", "");
}

TEST_CASE("dots: no other spelling of the end ends it (smuggling)", "[submit]") {
  using Ends = submit::Dots::Ends;
  for (const char* before : {"\n", "\r", "\n\r"}) {
    for (const char* after : {"\n", "\r", "\r\n", "\n\r"}) {
      const std::string bytes = std::string("a") + before + "." + after + "MAIL";
      check(bytes, Ends::crlf, false, bytes, "");
    }
  }
  check("a\r\n.\nMAIL\r\n", Ends::crlf, false, "a\r\n\nMAIL\r\n", "");
}

TEST_CASE("dots: a peer of LF alone ends it with LF dot LF", "[submit]") {
  using Ends = submit::Dots::Ends;
  check("a\n..b\n.\nQUIT\n", Ends::lf, true, "a\n.b\n", "QUIT\n");
  check("a\n.\r\nQUIT\n", Ends::lf, true, "a\n", "QUIT\n");
}
