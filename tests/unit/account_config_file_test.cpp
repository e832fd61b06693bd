#include "account/config_file.h"

#include "catch.h"

using account::parse_config_text;

TEST_CASE("config file: sections and keys come with their line numbers", "[account]") {
  const auto parsed = parse_config_text(
      "\n[mailbearer]\n  default = work\n\n[account  work]\n\tuser\t= me@example.org\n", "f");
  REQUIRE(parsed.ok());
  REQUIRE(parsed->size() == 2);
  CHECK((*parsed)[0].name == "mailbearer");
  CHECK((*parsed)[0].line == 2);
  CHECK((*parsed)[0].entries[0].key == "default");
  CHECK((*parsed)[0].entries[0].line == 3);
  CHECK((*parsed)[1].name == "account work");
  CHECK((*parsed)[1].line == 5);
  CHECK((*parsed)[1].entries[0].value == "me@example.org");
  CHECK((*parsed)[1].entries[0].line == 6);
}

TEST_CASE("config file: an indented key is a key, not a continuation", "[account]") {
  const auto parsed = parse_config_text("[a]\nuser = x\n   from = y\n\t[b]\n  z = 1\n", "f");
  REQUIRE(parsed.ok());
  REQUIRE((*parsed)[0].entries.size() == 2);
  CHECK((*parsed)[0].entries[0].value == "x");
  CHECK((*parsed)[0].entries[1].key == "from");
  CHECK((*parsed)[1].name == "b");
}

TEST_CASE("config file: comments at line start and after a blank and semicolon only", "[account]") {
  const auto parsed = parse_config_text(
      "; one\n  # two\n[a] ; three\nx = 1 ; four\ny = a;b#c\nz = # five\nu = @adm #1000\n", "f");
  REQUIRE(parsed.ok());
  const auto& entries = (*parsed)[0].entries;
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].value == "1");
  CHECK(entries[1].value == "a;b#c");
  CHECK(entries[2].value == "# five");
  CHECK(entries[3].value == "@adm #1000");
}

TEST_CASE("config file: an empty section is a section, the last line needs no end, CRLF is fine",
          "[account]") {
  const auto parsed = parse_config_text("\xEF\xBB\xBF[a]\r\n[b]\r\nk = v\r\n[c]", "f");
  REQUIRE(parsed.ok());
  REQUIRE(parsed->size() == 3);
  CHECK((*parsed)[0].name == "a");
  CHECK((*parsed)[1].entries[0].value == "v");
  CHECK((*parsed)[2].name == "c");
}

TEST_CASE("config file: a value of 60,000 octets survives whole, 64 KiB and more is refused",
          "[account]") {
  const std::string value = std::string(30000, 'x') + " " + std::string(29999, 'y');
  const auto parsed = parse_config_text("[a]\nk = " + value + "\nl = 2\n", "f");
  REQUIRE(parsed.ok());
  CHECK((*parsed)[0].entries[0].value == value);
  CHECK((*parsed)[0].entries[1].value == "2");
  const std::string longest = "k = " + std::string(65536 - 4, 'x');
  CHECK(parse_config_text("[a]\n" + longest + "\n", "f").ok());
  const auto refused = parse_config_text("[a]\n" + longest + "x\nl = 2\n", "f");
  REQUIRE(!refused.ok());
  CHECK(refused.error().cause == "f:2: line is longer than 64 KiB");
}

TEST_CASE("config file: 10,000 lines and their numbers are read without being slow", "[account]") {
  std::string text = "[a]\n";
  for (int i = 0; i < 10000; ++i) text += "key" + std::to_string(i) + " = value\n";
  const auto parsed = parse_config_text(text, "f");
  REQUIRE(parsed.ok());
  CHECK((*parsed)[0].entries.back().line == 10001);
}

TEST_CASE("config file: what is no INI names file and line", "[account]") {
  const auto cause = [](const std::string& text) {
    const auto parsed = parse_config_text(text, "f");
    REQUIRE(!parsed.ok());
    CHECK(parsed.error().fault == base::Fault::config);
    return parsed.error().cause;
  };
  CHECK(cause("[a]\nx = 1\nnonsense\n") == "f:3: neither a [section] nor `key = value`");
  CHECK(cause("\nuser = x\n") == "f:2: key `user` stands before the first section");
  CHECK(cause("[a\n") == "f:1: section has no closing bracket");
  CHECK(cause("[a] user = x\n") == "f:1: a section stands alone on its line");
  CHECK(cause("[" + std::string(50, 'n') + "]\n") == "f:1: section name is longer than 49 octets");
  CHECK(cause("[a]\nx = \x01\n") == "f:2: control byte in the line");
  CHECK(cause("[a]\n\x01=\n") == "f:2: control byte in the line");
  CHECK(cause(std::string("[a]\nx = a\0b\n", 12)) == "f:2: control byte in the line");
  CHECK(cause("[a]\nx = \xFF\n") == "f:2: line is not UTF-8");
}

TEST_CASE("config file: a selection passes the rest over and keeps the numbers of lines",
          "[account]") {
  const std::string text =
      "; \x01 not judged\n[one two]\nkey = 1\nother = \xFF\n\n[three]\n# c\nkey : 2\nkeys = 3\n"
      "[ one ]\nother = 4 ; c\n";
  account::Selection selection{{"one"}, {"key"}};
  const auto refused = parse_config_text(text, "f", &selection);
  REQUIRE(!refused.ok());
  CHECK(refused.error().cause == "f:4: line is not UTF-8");
  selection.first_words = {"three"};
  const auto parsed = parse_config_text(text, "f", &selection);
  REQUIRE(parsed.ok());
  REQUIRE(parsed->size() == 2);
  CHECK((*parsed)[0].name == "one two");
  CHECK((*parsed)[0].line == 2);
  REQUIRE((*parsed)[0].entries.size() == 1);
  CHECK((*parsed)[0].entries[0].line == 3);
  REQUIRE((*parsed)[1].entries.size() == 2);
  CHECK((*parsed)[1].line == 6);
  CHECK((*parsed)[1].entries[0].value == "2");
  CHECK((*parsed)[1].entries[1].line == 9);
  selection = {{"one"}, {}};
  const auto bare = parse_config_text("[three]\nnonsense\n[one]\nkey = 1\n", "f", &selection);
  REQUIRE(bare.ok());
  REQUIRE(bare->size() == 1);
  CHECK((*bare)[0].line == 3);
}
