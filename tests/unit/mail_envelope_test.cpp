#include <chrono>
#include <string>

#include "catch.h"
#include "mail/envelope.h"

using mail::Envelope;
using mail::Header;

namespace {

std::string recipients(const Envelope& envelope) {
  std::string out;
  for (const auto& recipient : envelope.recipients) {
    if (!out.empty()) out += ' ';
    out += recipient.mailbox.text();
  }
  return out;
}

Header header_of(std::vector<mail::Field> fields) {
  Header header;
  header.fields = std::move(fields);
  return header;
}

std::string found(std::vector<mail::Field> fields, Envelope envelope = {}) {
  const auto added = mail::add_header_recipients(envelope, header_of(std::move(fields)));
  return added ? recipients(envelope) : "[" + added.error().cause + "]";
}

}  // namespace

TEST_CASE("envelope: R23 B09 each argument may be a list, no address twice", "[mail]") {
  Envelope envelope;
  REQUIRE(mail::add_argument(envelope, "ops@x,two@x").ok());
  REQUIRE(mail::add_argument(envelope, "Ops <ops@X>; three@x").ok());
  REQUIRE(mail::add_argument(envelope, "OPS@x").ok());
  REQUIRE(mail::add_argument(envelope, "root").ok());
  REQUIRE(mail::add_argument(envelope, "undisclosed-recipients:;").ok());
  CHECK(recipients(envelope) == "ops@x two@x three@x OPS@x root");
}

TEST_CASE("envelope: B24 an empty argument is a usage error", "[mail]") {
  for (const char* text : {"", " ", "\t", ",", " ; ,", "(nobody)"}) {
    Envelope envelope;
    const auto added = mail::add_argument(envelope, text);
    REQUIRE(!added.ok());
    CHECK(added.error().fault == base::Fault::usage);
    CHECK(added.error().cause == "empty recipient");
  }
}

TEST_CASE("envelope: A10 B28-B30 B40 programs, files, lists and routes are refused", "[mail]") {
  for (const char* text :
       {"|prog", "\"|prog arg\"", "|prog@x", "/file", ":include:/x", "\":include:/x\"",
        "@a,@b:bob@x", "<@a:bob@x>", "x y", "bob@x\r\nRCPT TO:<x@y>", "bob@x,|prog"}) {
    INFO(text);
    Envelope envelope;
    const auto added = mail::add_argument(envelope, text);
    REQUIRE(!added.ok());
    CHECK(added.error().fault == base::Fault::bad_message);
    CHECK(!added.error().cure.empty());
  }
}

TEST_CASE("envelope: B02 B03 R25 -t and arguments are a union, each once", "[mail]") {
  Envelope envelope;
  REQUIRE(mail::add_argument(envelope, "arg@x, both@x").ok());
  CHECK(found({{"To", " both@X, to@x"}}, envelope) == "arg@x both@x to@x");
  CHECK(found({{"Subject", " none"}}, envelope) == "arg@x both@x");
}

TEST_CASE("envelope: To, Cc and Bcc in any number and case, and no other field", "[mail]") {
  CHECK(found({{"To", " a@x"},
               {"TO", " b@x,\r\n ann@x"},
               {"cc", " c@x"},
               {"Bcc", " d@x"},
               {"Apparently-To", " no@x"},
               {"Reply-To", " no@x"},
               {"X-Bcc", " no@x"},
               {"Tofu", " no@x"}}) == "a@x b@x ann@x c@x d@x");
  CHECK(found({{"To", " undisclosed-recipients:;"}, {"Bcc", " d@x"}}) == "d@x");
  CHECK(found({{"To", ""}, {"To", " a@x"}}) == "a@x");
}

TEST_CASE("envelope: B05 nobody at all is a bad message", "[mail]") {
  CHECK(found({{"Subject", " s"}, {"To", " undisclosed-recipients:;"}}) ==
        "[no recipient found in To, Cc or Bcc]");
  Envelope envelope;
  const auto added = mail::add_header_recipients(envelope, Header());
  REQUIRE(!added.ok());
  CHECK(added.error().fault == base::Fault::bad_message);
  CHECK(!added.error().cure.empty());
}

TEST_CASE("envelope: B16 with a Resent- block only its recipients count", "[mail]") {
  CHECK(found({{"Resent-From", " me@x"},
               {"Resent-To", " new@x"},
               {"Resent-Bcc", " hidden@x"},
               {"Resent-Cc", " copy@x"},
               {"To", " old@x"},
               {"Bcc", " old2@x"}}) == "new@x hidden@x copy@x");
  CHECK(found({{"Received", " by x"}, {"resent-to", " new@x"}, {"To", " old@x"}}) == "new@x");
}

TEST_CASE("envelope: only the newest of several Resent- blocks counts", "[mail]") {
  CHECK(found({{"Resent-To", " new@x"},
               {"Resent-From", " me@x"},
               {"Received", " by x"},
               {"Resent-To", " old@x"},
               {"Resent-From", " you@x"}}) == "new@x");
  // Side by side: a block holds each field once.
  CHECK(found({{"Resent-From", " me@x"},
               {"Resent-To", " new@x"},
               {"Resent-From", " you@x"},
               {"Resent-To", " old@x"}}) == "new@x");
}

TEST_CASE("envelope: a Resent- block without recipients never falls back to To", "[mail]") {
  CHECK(found({{"Resent-From", " me@x"}, {"Resent-To", " "}, {"To", " old@x"}}) ==
        "[no recipient found in the newest Resent- block]");
  CHECK(found({{"Resent-From", " me@x"}, {"Subject", " s"}, {"Resent-To", " old@x"}}) ==
        "[no recipient found in the newest Resent- block]");
}

TEST_CASE("envelope: a bad header address is named with its field", "[mail]") {
  CHECK(found({{"To", " ok@x"}, {"Cc", " Bob Smith bob@x"}}) ==
        "[bad address \"Bob Smith bob@x\" (no < > around the address) in Cc]");
  // A7: what a bare CR left behind.
  CHECK(found({{"To", " bob@x Bcc: evil@x"}}).starts_with("[bad address"));
  CHECK(found({{"To", " Bob <bob@x> Bcc: evil@x"}}).starts_with("[bad address"));
  CHECK(found({{"To", " |prog"}}).starts_with("[bad address"));
}

TEST_CASE("envelope: A4 a dash in a header address is only text", "[mail]") {
  CHECK(found({{"To", " -oQ/tmp, x@y"}}) == "-oQ/tmp x@y");
}

TEST_CASE("envelope: recipients changed by others are seen when `known` is cleared", "[mail]") {
  Envelope envelope;
  envelope.recipients.push_back({{"a", "x"}, {}, {}});
  CHECK(!mail::add_recipient(envelope, {{"a", "X"}, {}, {}}));
  CHECK(mail::add_recipient(envelope, {{"b", "x"}, {}, {}}));
  envelope.recipients[0].mailbox.local = "c";
  envelope.known.clear();
  CHECK(mail::add_recipient(envelope, {{"a", "x"}, {}, {}}));
  CHECK(!mail::add_recipient(envelope, {{"c", "x"}, {}, {}}));
}

TEST_CASE("envelope: 100000 recipients take well under a second", "[mail]") {
  const auto begin = std::chrono::steady_clock::now();
  Envelope envelope;
  for (int i = 0; i < 100000; ++i) {
    REQUIRE(mail::add_argument(envelope, "user" + std::to_string(i % 99999) + "@example.org").ok());
  }
  CHECK(envelope.recipients.size() == 99999);
  const auto taken = std::chrono::steady_clock::now() - begin;
  CHECK(std::chrono::duration<double>(taken).count() < 5.0);  // quadratic would take minutes
}

TEST_CASE("envelope: RFC 3461 xtext", "[mail]") {
  CHECK(mail::to_xtext("a+b=c d@x") == "a+2Bb+3Dc+20d@x");
  CHECK(mail::to_xtext("\xC3\xB6\r\n\x7F") == "+C3+B6+0D+0A+7F");
  CHECK(mail::to_xtext("").empty());
  for (const char* text : {"", "abc", "a+2Bb", "rfc822;a@b", "+0A"}) CHECK(mail::is_xtext(text));
  for (const char* text : {"a b", "a=b", "+", "+2", "+2b", "+GG", "a\r\n", "\xC3\xB6", "\x7F"}) {
    INFO(text);
    CHECK(!mail::is_xtext(text));
  }
  for (int byte = 0; byte < 256; ++byte) {
    CHECK(mail::is_xtext(mail::to_xtext(std::string(1, static_cast<char>(byte)))));
  }
}

TEST_CASE("envelope: a comma inside an encoded word makes no recipient", "[mail]") {
  CHECK(found({{"To", " =?utf-8?Q?Team,_A?= <a@x.example>"}}) == "a@x.example");
  CHECK(found({{"To", " bob, =?utf-8?Q?Team,_A?= <a@x.example>"}}) == "bob a@x.example");
  CHECK(found({{"Cc", " =?utf-8?Q?A?= <a@x.example>, root"}}) == "a@x.example root");
  CHECK(found({{"To", " =?utf-8?Q?Team?="}}) == "=?utf-8?Q?Team?=");  // refused later, not lost
}
