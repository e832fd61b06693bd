#include "base/text.h"

#include <random>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "catch.h"

TEST_CASE("text: clean escapes each character that steers a terminal, and its neighbours not",
          "[base]") {
  const auto utf8 = [](unsigned code) {
    std::string out;
    if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
    } else {
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    }
    return out + static_cast<char>(0x80 | (code & 0x3F));
  };
  const std::vector<std::pair<unsigned, unsigned>> runs = {{0x80, 0x9F},     {0x61C, 0x61C},
                                                           {0x200E, 0x200F}, {0x2028, 0x202E},
                                                           {0x2066, 0x2069}, {0xFEFF, 0xFEFF}};
  for (const auto& [first, last] : runs) {
    for (unsigned code = first; code <= last; ++code) {
      const std::string cleaned = base::clean(utf8(code));
      CHECK(cleaned.size() == 4 * utf8(code).size());
      CHECK(cleaned.substr(0, 2) == "\\x");
      CHECK(base::is_ascii(cleaned));
    }
    CHECK(base::clean(utf8(last + 1)) == utf8(last + 1));
    if (first > 0x80) CHECK(base::clean(utf8(first - 1)) == utf8(first - 1));
  }
  CHECK(base::clean("\xe2\x80\xae"
                    "fdp") == "\\xe2\\x80\\xaefdp");
  CHECK(base::clean("\xf0\x9f\x98\x80") == "\xf0\x9f\x98\x80");
  CHECK(base::clean("ab\xc2\x9b", 9) == "ab...");
}

TEST_CASE("text: clean leaves one printable line of bounded length, whatever comes (A14)",
          "[base]") {
  CHECK(base::clean("a\nb\x1b[0m\x7f") == "a\\x0ab\\x1b[0m\\x7f");
  CHECK(base::clean("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(base::clean("a\xc2\x9b"
                    "31m\xc2\x85") == "a\\xc2\\x9b31m\\xc2\\x85");
  CHECK(base::clean("\xff\xc3") == "\\xff\\xc3");
  CHECK(base::clean("\xc3\xbc\xc3\xbc", 3) == "\xc3\xbc...");
  std::mt19937 dice(1);
  for (int round = 0; round < 2000; ++round) {
    std::string noise(dice() % 64, '\0');
    for (char& c : noise) c = static_cast<char>(dice());
    const std::string cleaned = base::clean(noise, 100);
    CHECK_FALSE(base::has_control(cleaned));
    CHECK(base::is_utf8(cleaned));
    CHECK(cleaned.size() <= 103);
  }
}

TEST_CASE("text: UTF-8 is what RFC 3629 says, and no more", "[base]") {
  CHECK(base::is_utf8("\xf0\x9f\x93\xa7"));
  CHECK_FALSE(base::is_utf8("\xc0\xaf"));          // overlong
  CHECK_FALSE(base::is_utf8("\xed\xa0\x80"));      // surrogate
  CHECK_FALSE(base::is_utf8("\xf4\x90\x80\x80"));  // above U+10FFFF
  CHECK_FALSE(base::is_utf8("\xe2\x82"));          // cut
}

TEST_CASE("text: numbers, durations and sizes refuse what is not wholly one", "[base]") {
  std::int64_t value = 0;
  CHECK(base::parse_number("42", 0, 100, value));
  CHECK(value == 42);
  for (const char* bad : {"", "4x", "101", "-1", " 4", "99999999999999999999"}) {
    CHECK_FALSE(base::parse_number(bad, 0, 100, value));
  }
  CHECK(base::parse_duration("5d", value));
  CHECK(value == 432000);
  CHECK(base::parse_duration("90", value));
  CHECK(value == 90);
  CHECK_FALSE(base::parse_duration("5y", value));
  CHECK_FALSE(base::parse_duration("9223372036854775807w", value));
  CHECK(base::parse_size("35M", value));
  CHECK(value == 36700160);
}

TEST_CASE("text: the nearest word is a typing mistake away, not a guess", "[base]") {
  const std::vector<std::string> known = {"smtp_host", "smtp_port", "user", "from"};
  CHECK(base::nearest("smpt_host", known) == "smtp_host");
  CHECK(base::nearest("usr", known) == "user");
  CHECK(base::nearest("colour", known).empty());
}

TEST_CASE("clock: a date as RFC 5322 writes it", "[base]") {
  const std::string date = base::rfc5322_date(0);
  CHECK((date.find("Jan 1970") != std::string::npos || date.find("Dec 1969") != std::string::npos));
  CHECK(date.size() == 31);
}

TEST_CASE("clock: a deadline counts down and ends", "[base]") {
  CHECK(base::Deadline::after_ms(-1).passed());
  CHECK(base::Deadline::after_ms(-1).left_ms() == 0);
  CHECK_FALSE(base::Deadline::never().passed());
  CHECK(base::Deadline::never().left_ms() == -1);
  CHECK(base::Deadline::after_ms(5000).left_ms() > 4000);
  CHECK(base::Deadline::never().or_sooner(base::Deadline::after_ms(5000)).left_ms() <= 5000);
}

TEST_CASE("secret: moved and taken secrets leave nothing behind", "[base]") {
  std::string text = "hunter2";
  base::Secret one = base::Secret::take(text);
  CHECK(text.empty());
  base::Secret two = std::move(one);
  CHECK(two.reveal() == "hunter2");
  CHECK(one.empty());  // NOLINT(bugprone-use-after-move) that is the point
  for (int i = 0; i < 10; ++i) two.append("0123456789");
  CHECK(two.size() == 107);
  two.append(two.reveal());  // from itself, through growth
  CHECK(two.reveal().substr(107) == two.reveal().substr(0, 107));
  static_assert(!std::is_copy_constructible_v<base::Secret>);
}

TEST_CASE("error: the class follows the fault unless somebody knows better", "[base]") {
  CHECK(base::failure(base::Fault::bad_message, "x").kind == base::FaultClass::permanent);
  CHECK(base::failure(base::Fault::unavailable, "x").kind == base::FaultClass::temporary);
  CHECK(base::failure(base::Fault::sign_in_needed, "x").kind == base::FaultClass::hold);
  CHECK(base::failure_errno(base::Fault::io, "cannot read x", 13).cause ==
        "cannot read x: Permission denied");
}

TEST_CASE("random: ids do not repeat", "[base]") {
  CHECK(base::random_hex(16).size() == 32);
  CHECK(base::random_hex(16) != base::random_hex(16));
}

TEST_CASE("text: lines at a glance agree with a slow look", "[base]") {
  const auto slow = [](std::string_view block) {
    base::LinesAtAGlance out;
    for (std::size_t i = 0; i < block.size(); ++i) {
      const bool cr_before = i > 0 && block[i - 1] == '\r';
      const bool lf_behind = i + 1 < block.size() && block[i + 1] == '\n';
      if (block[i] == '\n' && !cr_before) out.only_crlf = false;
      if (block[i] == '\r' && !lf_behind) out.only_crlf = false;
      if (block[i] == '.' && i > 0 && block[i - 1] == '\n') out.dot_first = true;
    }
    return out;
  };
  // Every odd thing at every place around the edges of a step, alone in lines that are sound.
  std::string sound;
  while (sound.size() < 200) sound += "twelve chars\r\n";
  for (const std::string odd : {"\n", "\r", "\r\n", "\n.", "\r\n.", "\r\r\n", "\n\n", "."}) {
    for (std::size_t at = 0; at <= sound.size(); ++at) {
      const std::string block = sound.substr(0, at) + odd + sound.substr(at);
      const base::LinesAtAGlance wanted = slow(block);
      const base::LinesAtAGlance seen = base::look_at_lines(block);
      CAPTURE(at, odd);
      REQUIRE(seen.only_crlf == wanted.only_crlf);
      REQUIRE(seen.dot_first == wanted.dot_first);
    }
  }
  CHECK(base::look_at_lines("").only_crlf);
  CHECK_FALSE(base::look_at_lines("\r").only_crlf);
}

TEST_CASE("text: percent encoding keeps what it is told to keep", "[base]") {
  CHECK(base::percent_encode("aZ9-._~") == "aZ9-._~");
  CHECK(base::percent_encode("a@b c/\xC3\xB6\n%") == "a%40b%20c%2F%C3%B6%0A%25");
  CHECK(base::percent_encode("a@b~", "@") == "a@b%7E");
  CHECK(base::percent_encode("").empty());
}

TEST_CASE("text: what may stand in HTML", "[base]") {
  CHECK(base::html_escape("a<b>\"c\"&'d'\xC3\xB6") ==
        "a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;\xC3\xB6");
  CHECK(base::html_escape("").empty());
}
