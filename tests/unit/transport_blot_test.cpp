#include "transport/smtp_blot.h"

#include <array>
#include <cctype>
#include <random>
#include <string>

#include "base/seal.h"
#include "catch.h"

using base::Secret;
using transport::Blot;

namespace {

std::string octets(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string out;
  for (std::size_t i = 0; i < size; ++i)
    out += static_cast<char>(random() % 36 < 10 ? '0' + random() % 10 : 'a' + random() % 26);
  return out;
}

std::string blotted(const Blot& blot, std::string text) {
  blot.over({{&text, 0}});
  return text;
}

Blot watching(const std::string& secret) {
  Blot blot;
  blot.watch(Secret(secret));
  return blot;
}

}  // namespace

TEST_CASE("blot: every run of 16 octets is found, wherever it begins and whatever is around it",
          "[transport]") {
  const std::string secret = octets(100, 1);
  const Blot blot = watching(secret);
  for (std::size_t at = 0; at + 16 <= secret.size(); ++at) {
    INFO(at);
    const std::string run = secret.substr(at, 16);
    CHECK(blotted(blot, "535 no <" + run + "> on") == "535 no <***> on");
    CHECK(blotted(blot, run) == "***");
    const std::string shorter = "535 <" + secret.substr(at, 15) + ">";
    CHECK(blotted(blot, shorter) == shorter);
  }
}

TEST_CASE("blot: in any case, and with blanks and control bytes between", "[transport]") {
  const std::string secret = "Abcdefghijklmnopqrstuvwxyz0123456789";
  const Blot blot = watching(secret);
  CHECK(blotted(blot, "x aBCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 y") == "x *** y");
  CHECK(blotted(blot, "x abc def\tghi jkl mno pqr stu vwx y").find("def") == std::string::npos);
}

TEST_CASE("blot: a run may begin in one piece and end in another; what is before begin stays",
          "[transport]") {
  const std::string secret = octets(64, 2);
  const Blot blot = watching(secret);
  std::string first = "535-<" + secret.substr(20, 9);
  std::string second = "535 " + secret.substr(29, 9) + "> end";
  blot.over({{&first, 4}, {&second, 4}});
  CHECK(first == "535-<***");
  CHECK(second == "535 ***> end");
  std::string kept = secret;
  blot.over({{&kept, secret.size()}});
  CHECK(kept == secret);
}

TEST_CASE("blot: what holds the secret in base64 is found at each of the three shifts",
          "[transport]") {
  const std::string secret = octets(90, 3);
  const Blot blot = watching(secret);
  for (const std::string before : {"", "a", "ab", "user=me@example.org\x01"}) {
    INFO(before);
    const std::string said = blotted(blot, "334 " + base::base64(before + secret + "tail"));
    CHECK(said.find("***") != std::string::npos);
    CHECK(said.size() < 4 + 3 + 40);
  }
}

TEST_CASE("blot: secrets shorter than a run are looked for whole, beside long ones",
          "[transport]") {
  Blot blot = watching("Xy-12345");
  CHECK(blotted(blot, "535 xy-12345.") == "535 ***.");
  CHECK(blotted(blot, "535 xy-1234.") == "535 xy-1234.");
  const std::string secret = octets(48, 4);
  blot.watch(Secret(secret));
  CHECK(blotted(blot, "535 Xy-12345 <" + secret.substr(7, 16) + ">") == "535 *** <***>");
  CHECK(blotted(watching("abc"), "abc") == "abc");  // fewer than 4 octets
}

TEST_CASE("blot: a long reply and a long secret, with and without each other", "[transport]") {
  const std::string secret = octets(6000, 5);
  const Blot blot = watching(secret);
  std::string reply = octets(60000, 6);
  CHECK(blotted(blot, reply) == reply);
  reply.replace(30001, 18, "<" + secret.substr(5001, 16) + ">");
  const std::string said = blotted(blot, reply);
  CHECK(said.size() == reply.size() - 13);
  CHECK(said.substr(30001, 5) == "<***>");
}

TEST_CASE("blot: what is base64 already is found as it is, and not in base64 again",
          "[transport]") {
  const std::string line = base::base64(octets(60, 7));
  Blot blot;
  blot.watch_as_it_is(Secret(line));
  CHECK(blotted(blot, "535 <" + line.substr(3, 40) + ">") == "535 <***>");
  const std::string again = "334 " + base::base64(line);
  CHECK(blotted(blot, again) == again);
}
