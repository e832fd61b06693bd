#include <random>
#include <string>

#include "catch.h"
#include "mail/message.h"
#include "mail/read.h"

using namespace std::string_literals;

namespace {

base::Scratch scratch(std::string_view bytes) {
  base::Scratch out;
  REQUIRE(out.append(bytes).ok());
  return out;
}

mail::Message split(std::string_view bytes) {
  auto message = mail::split(scratch(bytes));
  REQUIRE(message.ok());
  return std::move(*message);
}

std::string body(const mail::Message& message) {
  std::string out;
  REQUIRE(message.bytes
              .each_piece(message.body_offset,
                          [&out](std::string_view piece) {
                            out += piece;
                            return base::done();
                          })
              .ok());
  return out;
}

}  // namespace

TEST_CASE("message: header and body part at the empty line", "[mail]") {
  const auto message = split("To: a@x\r\nSubject:b\r\n\r\nbody\r\n\r\nmore\r\n");
  CHECK(message.header.text() == "To: a@x\r\nSubject:b\r\n");
  CHECK(body(message) == "body\r\n\r\nmore\r\n");
  CHECK(message.bytes.size_bytes() == 36);
  CHECK(message.body_bytes() == 14);
}

TEST_CASE("message: R38 header alone, body alone, nothing at all", "[mail]") {
  CHECK(split("To: a@x\r\n").header.fields.size() == 1);
  CHECK(split("To: a@x\r\n").body_bytes() == 0);
  CHECK(split("To: a@x\r\n\r\n").body_bytes() == 0);
  CHECK(split("").header.fields.empty());
  CHECK(split("").body_bytes() == 0);
  const auto text = split("just text\r\nTo: a@x\r\n\r\nmore\r\n");
  CHECK(text.header.fields.empty());
  CHECK(body(text) == "just text\r\nTo: a@x\r\n\r\nmore\r\n");
}

TEST_CASE("message: R38 a bad line inside the header begins the body", "[mail]") {
  const auto message = split("To: a@x\r\nno field here\r\nBcc: evil@x\r\n\r\nbody\r\n");
  CHECK(message.header.text() == "To: a@x\r\n");
  CHECK(body(message) == "no field here\r\nBcc: evil@x\r\n\r\nbody\r\n");
  CHECK(split("To: a@x\r\nB\xC3\xB6: x\r\n").header.fields.size() == 1);
  CHECK(split("To: a@x\r\n: x\r\n").header.fields.size() == 1);
  CHECK(split("To: a@x\r\na b: x\r\n").header.fields.size() == 1);
}

TEST_CASE("message: a leading blank line or a line of white space begins the body", "[mail]") {
  CHECK(split("\r\nTo: a@x\r\n").header.fields.empty());
  CHECK(body(split("\r\nTo: a@x\r\n")) == "To: a@x\r\n");
  CHECK(split(" \r\nTo: a@x\r\n").header.fields.empty());
  CHECK(body(split(" \r\nTo: a@x\r\n")) == " \r\nTo: a@x\r\n");
}

TEST_CASE("message: R31 an unterminated last header line is kept", "[mail]") {
  CHECK(split("To: a@x\r\nSubject: end").header.text() == "To: a@x\r\nSubject: end\r\n");
  CHECK(split("To: a@x").body_bytes() == 0);
}

TEST_CASE("message: 'Subject :' is mended and blank continuation lines are joined away", "[mail]") {
  CHECK(split("Subject : x\r\nTo\t : a@x\r\n").header.text() == "Subject: x\r\nTo: a@x\r\n");
  CHECK(split("To: a@x,\r\n \t\r\n b@x\r\nCc: c@x\r\n \r\n").header.text() ==
        "To: a@x,\r\n b@x\r\nCc: c@x\r\n");
  CHECK(split("Empty:\r\nTo:\r\n a@x\r\n").header.text() == "Empty:\r\nTo:\r\n a@x\r\n");
}

TEST_CASE("message: R37 mbox lines on top are dropped, both kinds", "[mail]") {
  for (const char* top : {"From a@x Fri Nov 20 22:00:00 2026\r\n", ">From a@x\r\n",
                          "From a@x\r\n>From b@x\r\n", ">From a@x\r\nFrom b@x\r\n"}) {
    const auto message = split(std::string(top) + "To: a@x\r\n\r\nFrom here\r\n");
    CHECK(message.header.text() == "To: a@x\r\n");
    CHECK(body(message) == "From here\r\n");
  }
  CHECK(split("From : a@x\r\n").header.text() == "From: a@x\r\n");
  const auto late = split("To: a@x\r\nFrom b@x\r\n");
  CHECK(body(late) == "From b@x\r\n");
  CHECK(body(split("From a\r\ntext\r\n")) == "text\r\n");
}

TEST_CASE("message: NUL is refused in the header and kept in the body", "[mail]") {
  for (const auto& bytes :
       {"To: a\0b@x\r\n\r\n"s, "To: a@x\r\n b\0\r\n"s, "From a\0\r\nTo: a@x\r\n"s}) {
    const auto refused = mail::split(scratch(bytes));
    REQUIRE(!refused.ok());
    CHECK(refused.error().fault == base::Fault::bad_message);
  }
  const auto message = split("To: a@x\r\n\r\na\0b\r\n"s);
  CHECK(message.body_has_nul);
  CHECK(!message.body_is_8bit);
  CHECK(message.body_bytes() == 5);
}

TEST_CASE("message: a header of 1 MiB is the limit, a body line has none", "[mail]") {
  constexpr std::size_t mega = 1024 * 1024;
  const auto refused = mail::split(scratch("X: " + std::string(mega, 'a') + "\r\n"));
  REQUIRE(!refused.ok());
  CHECK(refused.error().fault == base::Fault::bad_message);
  std::string many;
  while (many.size() <= mega) many += "X-Field: value\r\n";
  CHECK(!mail::split(scratch(many)).ok());
  CHECK(split("X: " + std::string(mega - 5, 'a') + "\r\n").header.fields.size() == 1);
  for (const char* first : {"", " ", "a b", "From "}) {
    const auto text = split(first + std::string(2 * mega, 'a') + "\r\nTo: x\r\n");
    CHECK(text.header.fields.empty());
    CHECK(text.body_offset == 0);
    CHECK(text.body_has_long_line);
  }
  CHECK(split("a" + std::string(mega, ' ') + ": x\r\n").header.fields.empty());
}

TEST_CASE("message: facts of the body are measured, in one pass and anew", "[mail]") {
  auto message =
      split("To: \xC3\xB6\r\nX-Long: " + std::string(2000, 'x') + "\r\n\r\nab\r\nabcd\r\na");
  CHECK(!message.body_is_8bit);
  CHECK(!message.body_has_nul);
  CHECK(!message.body_has_long_line);
  message.body_has_long_line = true;
  message.body_is_8bit = true;
  REQUIRE(mail::measure_body(message).ok());
  CHECK(!message.body_has_long_line);
  CHECK(!message.body_is_8bit);
  CHECK(split("\r\nabc\r\n\xFF\r\n").body_is_8bit);
  CHECK(split("text \xC3\xB6\r\n").body_is_8bit);
}

TEST_CASE("message: a line is long over 998 octets, wherever it stands and however it is cut",
          "[mail]") {
  for (const std::size_t length : {997, 998, 999, 1000, 1001, 1998}) {
    for (const std::size_t before : {0, 1, 500, 65'000, 65'530}) {
      for (const bool ended : {true, false}) {
        std::string text = "To: a@x\r\n\r\n";
        while (text.size() < before) text += "short\r\n";
        text += std::string(length, 'x') + (ended ? "\r\n" : "");
        CAPTURE(length, before, ended);
        CHECK(split(text).body_has_long_line == (length > 998));
        if (ended) CHECK(split(text + "\r\nmore\r\n").body_has_long_line == (length > 998));
      }
    }
  }
}

TEST_CASE("message: facts hold across the pieces of a message in a file", "[mail]") {
  for (const std::size_t shift : {0, 1, 2, 3}) {
    const std::string top = "To: a@x\r\n\r\n";
    const std::string fill(65536 - top.size() - shift, 'y');
    const auto message = split(top + fill + "\r\n" + std::string(70000, 'z') + "\r\n");
    CHECK(message.body_has_long_line);
    CHECK(message.body_offset == top.size());
    const std::string pad = "X-Pad: " + std::string(65536 - 9 - shift, 'p') + "\r\n";
    const auto cut = split(pad + "To: a@x\r\n\r\nbody\r\n" + std::string(65536, 'q'));
    REQUIRE(cut.header.fields.size() == 2);
    CHECK(cut.header.fields[1].name == "To");
    CHECK(cut.body_offset == pad.size() + 11);
    CHECK(cut.body_has_long_line);
  }
}

TEST_CASE("message: any bytes split into a clean header and their own body", "[mail]") {
  std::mt19937 random(1958);
  const std::string alphabet = "aT: \t\r\n.\0\xC3>From \n\r\n:"s;
  for (int round = 0; round < 20000; ++round) {
    std::string raw;
    const std::size_t count = random() % 60;
    for (std::size_t i = 0; i < count; ++i) raw += alphabet[random() % alphabet.size()];
    base::Scratch bytes;
    mail::LineEnds lines(bytes);
    REQUIRE(lines.feed(raw).ok());
    REQUIRE(lines.finish().ok());
    const std::string normal = *bytes.all(1 << 20);
    const auto message = mail::split(std::move(bytes));
    if (!message) {
      REQUIRE(raw.find('\0') != std::string::npos);
      continue;
    }
    const std::string header = message->header.text();
    REQUIRE(header.find('\0') == std::string::npos);
    REQUIRE(normal.substr(message->body_offset) == body(*message));
    // The header as it leaves reads back as the same fields.
    const auto again = split(header + "\r\n" + body(*message));
    REQUIRE(again.header.text() == header);
    REQUIRE(body(again) == body(*message));
    REQUIRE(again.body_has_long_line == message->body_has_long_line);
    REQUIRE(again.body_is_8bit == message->body_is_8bit);
  }
}
