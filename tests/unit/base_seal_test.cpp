#include "base/seal.h"

#include <set>

#include "catch.h"

using base::Secret;

namespace {
Secret key_of(char c) {
  return Secret(std::string(base::seal_key_bytes, c));
}
}  // namespace

TEST_CASE("seal: what was sealed opens again with the same key and words", "[base]") {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4096U, 100000U}) {
    const std::string plain(size, 'p');
    auto sealed = base::seal(key_of('k'), "work me@example.org", Secret(plain));
    REQUIRE(sealed.ok());
    CHECK(sealed->substr(0, 4) == "MBS1");
    CHECK(sealed->size() == 4 + 12 + size + 16);
    auto opened = base::unseal(key_of('k'), "work me@example.org", *sealed);
    REQUIRE(opened.ok());
    CHECK(opened->reveal() == plain);
  }
}

TEST_CASE("seal: the plain text is not in the sealed form, and no two seals are alike", "[base]") {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    auto sealed = base::seal(key_of('k'), "w", Secret("canary-refresh-token"));
    REQUIRE(sealed.ok());
    CHECK(sealed->find("canary") == std::string::npos);
    seen.insert(*sealed);
  }
  CHECK(seen.size() == 50);
}

TEST_CASE("seal: another key, other words, a changed bit or a cut anywhere are refused (T10)",
          "[base]") {
  const auto sealed = base::seal(key_of('k'), "words", Secret("token"));
  REQUIRE(sealed.ok());
  CHECK(base::unseal(key_of('x'), "words", *sealed).error().fault == base::Fault::sign_in_needed);
  CHECK_FALSE(base::unseal(key_of('k'), "word", *sealed).ok());
  CHECK_FALSE(base::unseal(key_of('k'), "", *sealed).ok());
  for (std::size_t at = 0; at < sealed->size(); ++at) {
    std::string changed = *sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK_FALSE(base::unseal(key_of('k'), "words", changed).ok());
    CHECK_FALSE(base::unseal(key_of('k'), "words", sealed->substr(0, at)).ok());
  }
  CHECK_FALSE(base::unseal(key_of('k'), "words", *sealed + "x").ok());
}

TEST_CASE("seal: a key of another length is our bug, not a seal", "[base]") {
  CHECK(base::seal(Secret("short"), "w", Secret("t")).error().fault == base::Fault::bug);
  const auto sealed = base::seal(key_of('k'), "w", Secret("t"));
  CHECK(base::unseal(Secret(""), "w", *sealed).error().fault == base::Fault::bug);
}

TEST_CASE("seal: SHA-256 of the standard's examples", "[base]") {
  CHECK(base::sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(base::sha256_hex("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("seal: random bytes have the size asked for and differ", "[base]") {
  auto first = base::random_secret(32);
  auto second = base::random_secret(32);
  REQUIRE(first.ok());
  CHECK(first->size() == 32);
  CHECK(first->reveal() != second->reveal());
  CHECK(base::random_secret(0)->empty());
}

TEST_CASE("base64: RFC 4648 section 10, both ways", "[base]") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : rows) {
    CHECK(base::base64(bytes) == text);
    CHECK(base::base64(Secret(bytes)).reveal() == text);
    CHECK(*base::from_base64(text) == bytes);
  }
  std::string all;
  for (int i = 0; i < 10000; ++i) all += static_cast<char>(i * 7);
  CHECK(*base::from_base64(base::base64(all)) == all);
  CHECK(base::base64(Secret(all)).reveal() == base::base64(all));
}

TEST_CASE("base64: what is not exactly base64 is refused", "[base]") {
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm 9",
                           "Zm9-", "Zh==", "Zm9=", "=Zm9", "Zm9v====", "Zm\xc3\xa4"}) {
    INFO(text);
    CHECK_FALSE(base::from_base64(text).ok());
  }
  CHECK_FALSE(base::from_base64(std::string_view("Zm9\0", 4)).ok());
}
