#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "catch.h"
#include "mail/address.h"

using mail::Address;
using mail::Mailbox;
using mail::Written;

using namespace std::string_literals;

namespace {

// The mailboxes of a list as one text, or the error in brackets.
std::string read(const std::string& text, Written written = Written::in_header) {
  const auto list = mail::parse_address_list(text, written);
  if (!list) return "[" + list.error().cause + "]";
  std::string out;
  for (const Address& address : *list) {
    if (!out.empty()) out += ' ';
    out += address.mailbox.text();
  }
  return out;
}

Address one(const std::string& text) {
  const auto list = mail::parse_address_list(text);
  REQUIRE(list.ok());
  REQUIRE(list->size() == 1);
  return list->front();
}

bool refused(const std::string& text, Written written = Written::in_header) {
  const auto list = mail::parse_address_list(text, written);
  return !list && list.error().fault == base::Fault::bad_message && !list.error().cure.empty() &&
         !base::has_control(list.error().cause);
}

double seconds_for(const std::string& text) {
  const auto begin = std::chrono::steady_clock::now();
  const auto list = mail::parse_address_list(text);
  (void)list.ok();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string repeated(const std::string& piece, std::size_t bytes) {
  std::string out;
  while (out.size() + piece.size() <= bytes) out += piece;
  return out;
}

}  // namespace

TEST_CASE("address: R23 one argument is a list of names, brackets and comments", "[mail]") {
  CHECK(read("ops@x,two@x", Written::in_argument) == "ops@x two@x");
  CHECK(read("Bob B <bob@x>", Written::in_argument) == "bob@x");
  CHECK(read("<bob@x>", Written::in_argument) == "bob@x");
  CHECK(read("bob@x (a comment)", Written::in_argument) == "bob@x");
  CHECK(read("-bob@x", Written::in_argument) == "-bob@x");
  CHECK(read(" root ") == "root");
  CHECK(read("Two <two@x>, \"Comma, Inc.\" <c@x>, three@x") == "two@x c@x three@x");
}

TEST_CASE("address: ';' separates as ',' does, and empty elements are nothing", "[mail]") {
  CHECK(read("a@x; b@x") == "a@x b@x");
  CHECK(read("a@x; b@x;", Written::in_argument) == "a@x b@x");
  CHECK(read(",, a@x,\t, (nobody), b@x,") == "a@x b@x");
  CHECK(read("").empty());
  CHECK(read("  (nobody)  ").empty());
}

TEST_CASE("address: groups yield their members, with the group's name", "[mail]") {
  CHECK(read("undisclosed-recipients:;").empty());
  CHECK(read("undisclosed-recipients: ;, a@x") == "a@x");
  CHECK(read("Team: x@a, Y <y@a>;, z@a") == "x@a y@a z@a");
  CHECK(read("Team:x@a;z@a") == "x@a z@a");
  CHECK(read("A:;B:b@x;C: ,c@x,;") == "b@x c@x");
  const auto list = mail::parse_address_list("\"The Team\" (us): x@a;, z@a");
  REQUIRE(list.ok());
  REQUIRE(list->size() == 2);
  CHECK((*list)[0].group == "The Team");
  CHECK((*list)[1].group.empty());
  CHECK(refused("Team: x@a"));
  CHECK(refused("Team: Inner: x@a;;"));
  CHECK(refused("@a: x@b;"));
  CHECK(refused("Bob <bob@x>: x@b;"));
}

TEST_CASE("address: phrases mean what they say, comments are kept apart", "[mail]") {
  CHECK(one("root (Cron Daemon)").mailbox.local == "root");
  CHECK(one("root (Cron Daemon)").comment == "Cron Daemon");
  CHECK(one("a@x (one) (two)").comment == "two");
  CHECK(one("a@x (an (inner \\) one) end)").comment == "an (inner ) one) end");
  CHECK(one("(before) a@x").comment == "before");
  CHECK(one("\"Q. \\\"Nick\\\" Public\" <q@x>").phrase == "Q. \"Nick\" Public");
  CHECK(one("John Q. Public <q@x>").phrase == "John Q. Public");
  CHECK(one("Mr.  A.B.  Jones <q@x>").phrase == "Mr. A.B. Jones");
  CHECK(one("=?UTF-8?Q?B=C3=B6b?= <b@x>").phrase == "=?UTF-8?Q?B=C3=B6b?=");
  CHECK(one("B\xC3\xB6"
            "b <b@x>")
            .phrase ==
        "B\xC3\xB6"
        "b");
  CHECK(one("J\xF6rg <b@x>").phrase == "J\xF6rg");  // R40: raw Latin-1 is no error
  CHECK(one("me@x.org <me@x.org>").phrase == "me@x.org");
  CHECK(one("[list] Bob <b@x>").phrase == "[list] Bob");
  CHECK(one("Bob<b@x>").phrase == "Bob");
  CHECK(one("a@x").phrase.empty());
  const auto list = mail::parse_address_list("a@x (one), b@x, c@x (three)");
  REQUIRE(list.ok());
  CHECK((*list)[0].comment == "one");
  CHECK((*list)[1].comment.empty());
  CHECK((*list)[2].comment == "three");
}

TEST_CASE("address: quoted and obsolete local parts, domains and literals", "[mail]") {
  CHECK(read("\"john doe\"@x") == "\"john doe\"@x");
  CHECK(one("\"john doe\"@x").mailbox.local == "john doe");
  CHECK(read("\"john\"@x") == "john@x");
  CHECK(read("john . (c) doe @ mail . (d) example") == "john.doe@mail.example");
  CHECK(read("\"a b\".c@x") == "\"a b.c\"@x");
  CHECK(read("a..b@x") == "\"a..b\"@x");
  CHECK(read("a.@x") == "\"a.\"@x");
  CHECK(read("bob@[192.0.2.1]") == "bob@[192.0.2.1]");
  CHECK(read("bob@[IPv6:2001:db8::1]") == "bob@[IPv6:2001:db8::1]");
  CHECK(read("bob@x.org.") == "bob@x.org");
  CHECK(read("b\xC3\xB6@ex\xC3\xA4mple.org") == "b\xC3\xB6@ex\xC3\xA4mple.org");
  CHECK(read("a/b=c+d%e@x") == "a/b=c+d%e@x");
  CHECK(read("\\bob@x") == "bob@x");
  CHECK(read("<\\bob@x>", Written::in_argument) == "bob@x");
}

TEST_CASE("address: an obsolete route is read from a header and refused in an argument", "[mail]") {
  CHECK(read("<@a,@b:c@d>") == "c@d");
  CHECK(read("Carl <@a.org , , @[1.2.3.4] : c@d>") == "c@d");
  CHECK(refused("<@a,@b:c@d>", Written::in_argument));
  CHECK(refused("@a,@b:bob@x", Written::in_argument));
  CHECK(refused("@a,@b:bob@x"));
  CHECK(refused("<@a:>"));
  CHECK(refused("<@a @b:c@d>"));
}

TEST_CASE("address: folds are white space in a header and control bytes in an argument", "[mail]") {
  CHECK(read("bob@x,\r\n ann@x,\r\n\tcy@x") == "bob@x ann@x cy@x");
  CHECK(one("\"a\r\n b\" <c@x>").phrase == "a b");
  CHECK(one("a\r\n\tb <c@x>").phrase == "a b");
  CHECK(one("c@x (a\r\n b)").comment == "a b");
  CHECK(refused("bob@x,\r\n ann@x", Written::in_argument));
  CHECK(refused("bob@x\r\nRCPT TO:<x@y>", Written::in_argument));
  CHECK(refused("bob@x\r\nRCPT TO:<x@y>"));
  CHECK(refused("bob@x,\r\nann@x"));
}

TEST_CASE("address: A5 a control byte anywhere is refused", "[mail]") {
  for (int byte = 0; byte < 0x20; ++byte) {
    if (byte == '\t') continue;
    const std::string c(1, static_cast<char>(byte));
    CHECK(refused("bo" + c + "b@x"));
    CHECK(refused("\"bo" + c + "b\"@x"));
    CHECK(refused("\"bo\\" + c + "b\"@x"));
    CHECK(refused("bob@x" + c));
    CHECK(refused("bob@[1" + c + "]"));
    CHECK(refused("A" + c + " <bob@x>"));
    CHECK(refused("(A" + c + ") bob@x"));
  }
  CHECK(refused("b\x7Fob@x"));
  CHECK(refused("\"b\tob\"@x"));
}

TEST_CASE("address: what is no address is refused, and the piece is named", "[mail]") {
  for (const char* text : {"Bob Smith bob@x",
                           "bob smith@x",
                           "Bob Smith",
                           "\"bob@x",
                           "bob@x (c",
                           "bob@x (a (b)",
                           "bob@x)",
                           "<bob@x",
                           "bob@x>",
                           "<<bob@x>>",
                           "a@x <b@x> <c@x>",
                           "<b@x> c",
                           "<b@x>c@x",
                           "<>",
                           "Bob <>",
                           "@x",
                           "bob@",
                           "bob@@x",
                           "a@b@c",
                           "bob@x..y",
                           "bob@.x",
                           "bob@x y",
                           "bob@\"x\"",
                           "bob@[1",
                           "bob@[]",
                           "bob@[a[b]",
                           "bob@[1]x",
                           "bob@x[1]",
                           ".",
                           "...@x",
                           "\"\"@x",
                           "bo\\b@x",
                           "bob\\@x",
                           "\\\\bob@x",
                           "\\ bob@x",
                           "bob@x\\",
                           ":include:/etc/passwd",
                           "bob@x!y",
                           "bob@x/y",
                           "\xFF@x",
                           "bob@\xC3",
                           "bob@[\xC3\xA4]",
                           "\"bob\\",
                           "bob@x bcc: evil@x",
                           "bob@x Bcc: evil@x;",
                           "<a@x, b@x>",
                           "]@x"}) {
    INFO(text);
    CHECK(refused(text));
  }
  CHECK(read("ann@x, Bob Smith bob@x, cy@x") ==
        "[bad address \"Bob Smith bob@x\" (no < > around the address)]");
  CHECK(read("ann@x, bo\x01"
             "b@x") == "[bad address \"bo\\x01b@x\" (control byte)]");
}

TEST_CASE("address: limits of local part, domain, list and comments", "[mail]") {
  CHECK(read(std::string(256, 'a') + "@x").size() == 258);
  CHECK(refused(std::string(257, 'a') + "@x"));
  CHECK(read("a@" + std::string(255, 'x')).size() == 257);
  CHECK(refused("a@" + std::string(256, 'x')));
  CHECK(one(std::string(32, '(') + std::string(32, ')') + "a@x").mailbox.local == "a");
  CHECK(refused(std::string(33, '(') + std::string(33, ')') + "a@x"));
  CHECK(refused(std::string(1024 * 1024 + 1, ' ')));
  CHECK(read(std::string(1024 * 1024, ' ')).empty());
}

TEST_CASE("address: A13 a megabyte of anything is read in linear time", "[mail]") {
  constexpr std::size_t mega = 1024 * 1024;
  for (const char* piece :
       {"a@x,", "(",  ")",  "()",   "(\\",    "\"",       "\"\\\"", "<",    ">",
        "\\",   "a ", "a.", ".",    "@",      "@a,",      "<@a,",   "[",    "[]",
        ",",    ";",  ":",  "g:;",  "g:",     "\r\n ",    "\r\n",   "a@x ", "\xC3\xB6",
        "\xFF", "=?", "a<", "a(b)", "<a@x>,", "<a@x>(c),"}) {
    INFO(piece);
    CHECK(seconds_for(repeated(piece, mega)) < 3.0);
  }
}

TEST_CASE("address: R21 the null reverse-path", "[mail]") {
  for (const char* text : {"", "<>", " <> ", "Mail Delivery System <>"}) {
    const auto path = mail::parse_reverse_path(text);
    REQUIRE(path.ok());
    CHECK(path->null());
    CHECK(path->text().empty());
  }
}

TEST_CASE("address: a reverse-path is one address", "[mail]") {
  for (const char* text : {"a@b", "<a@b>", "Name <a@b>", " a@b ", "a@b (c)"}) {
    const auto path = mail::parse_reverse_path(text);
    REQUIRE(path.ok());
    CHECK(path->text() == "a@b");
  }
  CHECK(mail::parse_reverse_path("root")->text() == "root");
  CHECK(mail::parse_reverse_path("MAILER-DAEMON")->text() == "MAILER-DAEMON");
  CHECK(mail::parse_reverse_path("-a@b")->text() == "-a@b");
  for (const char* text : {"a@b,c@d", "a@b c@d", " ", ",", "-i", "g:a@b;", "g:;", "<@r:a@b>",
                           "a@b\n", "a@b\r\nX: y", "|prog", "/file", "<<>>", "<", "a b"}) {
    INFO(text);
    const auto path = mail::parse_reverse_path(text);
    REQUIRE(!path.ok());
    CHECK(path.error().fault == base::Fault::bad_message);
  }
}

TEST_CASE("address: a mailbox alone is nothing but itself", "[mail]") {
  CHECK(mail::parse_mailbox("a@b")->text() == "a@b");
  CHECK(mail::parse_mailbox("root")->text() == "root");
  CHECK(mail::parse_mailbox("\"a b\"@c")->text() == "\"a b\"@c");
  for (const char* text :
       {"", "<a@b>", " a@b", "a@b ", "a@b(c)", "N <a@b>", "a@b,c@d", "a@b,", "\\a@b", "a @b",
        "a@b;", "a@", "@b", "a@b>", "a@b> SIZE=1", "g:a@b;", "a@b\r", "a@b\t"}) {
    INFO(text);
    CHECK(!mail::parse_mailbox(text).ok());
  }
  CHECK(!mail::parse_mailbox(std::string(2000, 'a')).ok());
}

TEST_CASE("address: same() knows the domain in any case and the local part exactly", "[mail]") {
  const Mailbox a{"Bob", "Example.org"};
  CHECK(mail::same(a, {"Bob", "example.ORG"}));
  CHECK(mail::same(a, {"Bob", "example.org."}));
  CHECK(!mail::same(a, {"bob", "Example.org"}));
  CHECK(!mail::same(a, {"Bob", ""}));
  CHECK(mail::identity(a) == mail::identity({"Bob", "example.org."}));
  CHECK(mail::identity(a) != mail::identity({"bob", "example.org"}));
  CHECK(mail::identity({"a", ""}) != mail::identity({"", "a"}));
}

TEST_CASE("address: A10 programs, files and lists are special forms", "[mail]") {
  for (const char* local : {"|prog", "|", "/etc/passwd", ":include:/x", ":INCLUDE:/x"}) {
    CHECK(mail::is_special_form({local, ""}));
  }
  CHECK(mail::is_special_form({"|prog", "x"}));
  CHECK(!mail::is_special_form({"/c=us/", "gateway"}));
  CHECK(!mail::is_special_form({"bob", ""}));
  CHECK(!mail::is_special_form({}));
}

TEST_CASE("address: text() of a mailbox reads back as the same mailbox", "[mail]") {
  std::mt19937 random(20261120);
  const std::vector<std::string> pieces = {"a",
                                           "Z",
                                           "0",
                                           ".",
                                           "..",
                                           " ",
                                           "\"",
                                           "\\",
                                           "@",
                                           ",",
                                           ";",
                                           ":",
                                           "<",
                                           ">",
                                           "(",
                                           ")",
                                           "[",
                                           "]",
                                           "'",
                                           "+",
                                           "-",
                                           "|",
                                           "/",
                                           "\xC3\xB6",
                                           "\xE2\x82\xAC",
                                           "\xF0\x9F\x98\x80"};
  const std::vector<std::string> domains = {
      "", "x", "Mail.example-1.org", "[192.0.2.1]", "ex\xC3\xA4mple.org", "a_b.c"};
  for (int round = 0; round < 20000; ++round) {
    Mailbox mailbox;
    const std::size_t count = 1 + random() % 12;
    for (std::size_t i = 0; i < count; ++i) mailbox.local += pieces[random() % pieces.size()];
    mailbox.domain = domains[random() % domains.size()];
    const std::string text = mailbox.text();
    INFO(text);
    const auto alone = mail::parse_mailbox(text);
    REQUIRE(alone.ok());
    REQUIRE(alone->local == mailbox.local);
    REQUIRE(alone->domain == mailbox.domain);
    const auto list = mail::parse_address_list("Name <" + text + ">, " + text);
    REQUIRE(list.ok());
    REQUIRE(list->size() == 2);
    REQUIRE((*list)[0].mailbox.local == mailbox.local);
    REQUIRE(mail::same((*list)[1].mailbox, mailbox));
  }
}

TEST_CASE("address: random text yields clean mailboxes or a clean error", "[mail]") {
  std::mt19937 random(5322);
  const std::string alphabet = "ab.@,;:<>()[]\\\" \t\r\n\0\x7F\xC3\xB6|/"s;
  for (int round = 0; round < 60000; ++round) {
    std::string text;
    const std::size_t count = random() % 24;
    for (std::size_t i = 0; i < count; ++i) text += alphabet[random() % alphabet.size()];
    const auto list =
        mail::parse_address_list(text, round % 2 == 0 ? Written::in_header : Written::in_argument);
    if (!list) {
      REQUIRE(!base::has_control(list.error().cause));
      continue;
    }
    for (const Address& address : *list) {
      const std::string wire = address.mailbox.text();
      REQUIRE(!base::has_control(wire));
      REQUIRE(base::is_utf8(wire));
      const auto again = mail::parse_mailbox(wire);
      REQUIRE(again.ok());
      REQUIRE(again->text() == wire);
    }
  }
}

TEST_CASE("address: A6 a phrase for a header is atoms or quoted, without control bytes", "[mail]") {
  CHECK(mail::quote_phrase("Bob Smith") == "Bob Smith");
  CHECK(mail::quote_phrase("Full, \"Q\" Name") == "\"Full, \\\"Q\\\" Name\"");
  CHECK(mail::quote_phrase("John Q. Public") == "\"John Q. Public\"");
  CHECK(mail::quote_phrase("a\nX-Inj: y") == "\"a X-Inj: y\"");
  CHECK(mail::quote_phrase("a  b") == "\"a  b\"");
  CHECK(mail::quote_phrase("  \r\n ").empty());
  CHECK(mail::quote_phrase("").empty());
  CHECK(mail::quote_phrase("B\xC3\xB6"
                           "b") ==
        "B\xC3\xB6"
        "b");
  CHECK(mail::quote_phrase("=?UTF-8?Q?B=C3=B6b?=") == "=?UTF-8?Q?B=C3=B6b?=");
  CHECK(one(mail::quote_phrase("back\\slash \"x\"") + " <a@x>").phrase == "back\\slash \"x\"");
}
