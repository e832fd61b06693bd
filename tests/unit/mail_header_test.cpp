#include "catch.h"
#include "mail/header.h"

using mail::Field;
using mail::Header;

namespace {
Header three() {
  Header header;
  header.fields = {{"To", " a@x"}, {"X-Fold", " one\r\n two"}, {"TO", " b@x"}};
  return header;
}
}  // namespace

TEST_CASE("header: fields are found by name in any case, the first one first", "[mail]") {
  Header header = three();
  REQUIRE(header.find("to") != nullptr);
  CHECK(header.find("to")->body == " a@x");
  CHECK(header.find("t") == nullptr);
  CHECK(header.find("to:") == nullptr);
  CHECK(header.count("tO") == 2);
  CHECK(header.count("Cc") == 0);
  header.find("TO")->body = " c@x";
  const Header& constant = header;
  CHECK(constant.find("To")->body == " c@x");
}

TEST_CASE("header: remove takes every field of a name and no other", "[mail]") {
  Header header = three();
  header.remove("to");
  CHECK(header.text() == "X-Fold: one\r\n two\r\n");
  header.remove("absent");
  CHECK(header.fields.size() == 1);
}

TEST_CASE("header: added fields stand at their end of the list", "[mail]") {
  Header header = three();
  header.append("Date", "today");
  header.prepend("Received", "by x;\r\n\ttoday");
  CHECK(
      header.text() ==
      "Received: by x;\r\n\ttoday\r\nTo: a@x\r\nX-Fold: one\r\n two\r\nTO: b@x\r\nDate: today\r\n");
  CHECK(Header().text().empty());
}

TEST_CASE("header: A6 a value of ours cannot begin another line", "[mail]") {
  Header header;
  header.append("From", "a\r\nBcc: evil@x");
  header.append("From", "a\nBcc: evil@x\r");
  header.append("From", std::string("a\0b\x1B", 4));
  header.append("From", "end\r\n");
  CHECK(header.text() ==
        "From: a  Bcc: evil@x\r\nFrom: a Bcc: evil@x \r\nFrom: a b \r\nFrom: end  \r\n");
}

TEST_CASE("header: unfold makes one line of many", "[mail]") {
  CHECK(mail::unfold(" one\r\n two") == "one two");
  CHECK(mail::unfold(" one \r\n\t  two  ") == "one two");
  CHECK(mail::unfold(" one  two") == "one  two");
  CHECK(mail::unfold("\r\n one\r\n \r\n two\r\n ") == "one two");
  CHECK(mail::unfold("").empty());
  CHECK(mail::unfold(" \r\n ").empty());
}
