#include <random>

#include "catch.h"
#include "transport/smtp_data.h"

using transport::ContentWriter;
using transport::Framing;
using transport::WireLines;

namespace {

std::string stuff(const std::string& content, std::mt19937& random) {
  WireLines stuffer;
  std::string out;
  std::size_t at = 0;
  while (at < content.size()) {
    const std::size_t size = 1 + random() % 40;
    stuffer.feed(std::string_view(content).substr(at, size), out);
    at += size;
  }
  stuffer.finish(out);
  return out;
}

// What a server makes of it: RFC 5321 4.5.2.
std::string unstuff(const std::string& wire) {
  std::string out;
  std::size_t at = 0;
  while (at < wire.size()) {
    const std::size_t end = wire.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    std::string line = wire.substr(at, end - at);
    at = end + 2;
    if (line == ".") {
      REQUIRE(at == wire.size());  // the only end is at the end
      return out;
    }
    if (line[0] == '.') line.erase(0, 1);
    out += line + "\r\n";
  }
  FAIL("no end");
  return out;
}

std::string random_content(std::mt19937& random) {
  std::string out;
  const std::size_t lines = random() % 30;
  for (std::size_t i = 0; i < lines; ++i) {
    const std::size_t length = random() % 8;
    for (std::size_t k = 0; k < length; ++k) out += ".. ax"[random() % 5];
    out += "\r\n";
  }
  return out;
}

}  // namespace

TEST_CASE("data: stuffing is undone by the server, whatever the content and the cuts",
          "[transport]") {
  std::mt19937 random(20261120);
  for (int i = 0; i < 3000; ++i) {
    const std::string content = random_content(random);
    REQUIRE(unstuff(stuff(content, random)) == content);
  }
}

TEST_CASE("data: R31 bare CR and bare LF never leave, and end nothing early", "[transport]") {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string content;
    const std::size_t size = random() % 60;
    for (std::size_t k = 0; k < size; ++k) content += "\r\n..a"[random() % 5];
    const std::string wire = stuff(content, random);
    for (std::size_t at = 0; at < wire.size(); ++at) {
      if (wire[at] == '\r') REQUIRE((at + 1 < wire.size() && wire[at + 1] == '\n'));
      if (wire[at] == '\n') REQUIRE((at > 0 && wire[at - 1] == '\r'));
    }
    unstuff(wire);
  }
}

TEST_CASE("data: smuggled ends of data stay content", "[transport]") {
  std::mt19937 random(1);
  for (const std::string evil :
       {"a\r\n.\r\nMAIL FROM:<x@y>\r\n", "a\n.\nMAIL\r\n", "a\n.\r\nMAIL\r\n", "a\r.\rMAIL\r\n",
        "a\r\n.\rMAIL\r\n", ".\r\n", "."}) {
    const std::string wire = stuff(evil, random);
    INFO(evil);
    unstuff(wire);
  }
}

TEST_CASE("data: no content, and a last line without its end", "[transport]") {
  std::mt19937 random(1);
  CHECK(stuff("", random) == ".\r\n");
  CHECK(stuff("a", random) == "a\r\n.\r\n");
  CHECK(stuff("a\r", random) == "a\r\n.\r\n");
  CHECK(stuff(".\r\n", random) == "..\r\n.\r\n");
}

TEST_CASE("data: a small content is one write, a large one is many of bounded size",
          "[transport]") {
  const auto writes = [](std::size_t octets) {
    std::vector<std::pair<std::size_t, bool>> out;
    ContentWriter writer(Framing::dots, [&out](std::string_view bytes, bool last) {
      out.emplace_back(bytes.size(), last);
      return base::done();
    });
    const std::string line(98, '.');
    for (std::size_t done = 0; done < octets; done += 100) {
      CHECK(writer.feed(line).ok());
      CHECK(writer.feed("\r\n").ok());
    }
    CHECK(writer.finish("QUIT\r\n").ok());
    return out;
  };
  CHECK(writes(40'000).size() == 1);
  const auto many = writes(1'000'000);
  CHECK(many.size() > 10);
  for (std::size_t i = 0; i < many.size(); ++i) {
    CHECK(many[i].first < 100'000);
    CHECK(many[i].second == (i + 1 == many.size()));
  }
}

TEST_CASE("data: an error of the connection ends the writing", "[transport]") {
  int puts = 0;
  ContentWriter writer(Framing::dots, [&puts](std::string_view, bool) -> base::Done {
    ++puts;
    return base::failure(base::Fault::unavailable, "gone");
  });
  CHECK_FALSE(writer.feed(std::string(200'000, 'x')).ok());
  CHECK(puts == 1);
}
