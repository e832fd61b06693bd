#include "mail/idn.h"

#include "catch.h"

TEST_CASE("idn: ASCII comes back lower-cased as it is", "[mail]") {
  CHECK(mail::to_a_labels("Example.ORG").value() == "example.org");
  CHECK(mail::to_a_labels("xn--exmple-cua.org").value() == "xn--exmple-cua.org");
  CHECK(mail::to_a_labels("under_score.example").value() == "under_score.example");
}

TEST_CASE("idn: UTF-8 becomes A-labels, in any case and normal form", "[mail]") {
  CHECK(mail::to_a_labels("exämple.org").value() == "xn--exmple-cua.org");
  CHECK(mail::to_a_labels("EXÄMPLE.org").value() == "xn--exmple-cua.org");
  CHECK(mail::to_a_labels("exa\xcc\x88mple.org").value() == "xn--exmple-cua.org");
  CHECK(mail::to_a_labels("faß.example").value() == "xn--fa-hia.example");
}

TEST_CASE("idn: control bytes, blanks, bad UTF-8 and forbidden signs are refused", "[mail]") {
  using namespace std::string_literals;
  for (const std::string& bad : {""s, "a\r\nb.org"s, "a\0b"s, "a b.org"s, "\xe4.org"s, "ä\tb.org"s,
                                 "ä℀b.org"s, "ä／b.org"s, std::string(2000, 'a'), "\x7f"s}) {
    const auto answer = mail::to_a_labels(bad);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().fault == base::Fault::bad_message);
    CHECK(answer.error().cause.find('\r') == std::string::npos);
  }
}
