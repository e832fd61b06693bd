#include <map>

#include "catch.h"
#include "mail/message_ids.h"
#include "mail/mime.h"

using mail::Field;
using mail::Header;

namespace {

const std::map<std::string, std::string, std::less<>> known = {
    {"one@x", "ONE@prod.example"},
    {"two@x", "TWO@prod.example"},
    {"evil@x", "a@b>\r\nBcc: evil@example.org"},
    {"self", "SELF@prod.example"}};

const std::string* lookup(std::string_view id) {
  const auto found = known.find(id);
  return found == known.end() ? nullptr : &found->second;
}

std::string mapped(const std::string& name, const std::string& body) {
  Header header;
  header.fields = {{name, body}};
  mail::map_message_ids(header, lookup);
  REQUIRE(header.fields.size() == 1);
  return header.fields[0].body;
}

std::string references(const std::string& body) {
  return mapped("References", body);
}

Header with(const std::string& message_id) {
  Header header;
  header.fields = {{"Message-ID", message_id}};
  return header;
}

std::string new_id(const std::string& reply, const std::string& ours = "ours@x") {
  return mail::new_message_id(reply, ours).value_or("none");
}

}  // namespace

TEST_CASE("message ids: known ids are replaced in In-Reply-To and References alone", "[mail]") {
  Header header;
  header.fields = {{"Message-ID", " <one@x>"},    {"in-reply-to", " <one@x>"},
                   {"REFERENCES", " <two@x>"},    {"References", " <one@x> <none@x>"},
                   {"Subject", " about <one@x>"}, {"Resent-Message-ID", " <one@x>"}};
  CHECK(mail::map_message_ids(header, lookup) == 3);
  CHECK(header.fields[0].body == " <one@x>");
  CHECK(header.fields[1].body == " <ONE@prod.example>");
  CHECK(header.fields[2].body == " <TWO@prod.example>");
  CHECK(header.fields[3].body == " <ONE@prod.example> <none@x>");
  CHECK(header.fields[4].body == " about <one@x>");
  CHECK(header.fields[5].body == " <one@x>");
}

TEST_CASE("message ids: every other byte stays", "[mail]") {
  CHECK(references(" <a@b>\r\n\t<one@x>\r\n  <two@x>\t<c@d>  ") ==
        " <a@b>\r\n\t<ONE@prod.example>\r\n  <TWO@prod.example>\t<c@d>  ");
  CHECK(references("<one@x><two@x>,<one@x>;") ==
        "<ONE@prod.example><TWO@prod.example>,<ONE@prod.example>;");
  CHECK(references(" (see <one@x> \\) ) <one@x> (two <two@x>)") ==
        " (see <one@x> \\) ) <ONE@prod.example> (two <two@x>)");
  CHECK(mapped("In-Reply-To", " Your message of \"Mon <one@x>\" <two@x> \xe9") ==
        " Your message of \"Mon <one@x>\" <TWO@prod.example> \xe9");
  CHECK(references(" > <one@x> < <> <two@x> <<one@x>> <self>") ==
        " > <ONE@prod.example> < <> <TWO@prod.example> <<ONE@prod.example>> <SELF@prod.example>");
}

TEST_CASE("message ids: what is no id of ours is left alone", "[mail]") {
  for (const char* body :
       {"", " ", " one@x", " <one@x", " one@x>", " < one@x>", " <one@x >", " <one\r\n @x>",
        " <ONE@x>", " <one@x.example>", " <one(a comment)@x>", " <one@x\xc3\xa9>", " <evil@x>"}) {
    CHECK(references(body) == body);
  }
}

TEST_CASE("message ids: a field whose comment or quote does not end stays as it is", "[mail]") {
  for (const char* body : {" <one@x> (open", " \"open <one@x>", " ((one) <one@x>"}) {
    CHECK(references(body) == body);
  }
}

TEST_CASE("message ids: ids without anything between them can still be folded", "[mail]") {
  // 14 octets become 24 each: the line would be over 998 with no place for a fold.
  std::string before;
  for (int i = 0; i < 100; ++i) before += "<one@x>";
  const std::string after = references(before);
  CHECK(after.find("> <") != std::string::npos);
  CHECK(after.find("><") == std::string::npos);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = after.find("<ONE@prod.example>", at)) != std::string::npos; ++at)
    ++count;
  CHECK(count == 100);
  Header header;
  header.fields = {{"References", after}};
  CHECK(mail::fold_long_fields(header).ok());
  // Blanks that stand there are not doubled.
  std::string spaced = "<one@x>\r\n";
  for (int i = 0; i < 100; ++i) spaced += " <one@x>";
  CHECK(references(spaced).find("  ") == std::string::npos);
}

TEST_CASE("message ids: a field that would grow too large for the provider stays", "[mail]") {
  std::string body;
  while (body.size() < 32600) body += " <one@x>";
  CHECK(references(body) == body);
  CHECK(references(std::string(40000, ' ') + "<one@x>") == std::string(40000, ' ') + "<one@x>");
}

TEST_CASE("message ids: a field that a signature covers stays", "[mail]") {
  const auto signed_by = [](const std::string& name, const std::string& value) {
    Header header;
    header.fields = {{name, value}, {"In-Reply-To", " <one@x>"}, {"References", " <two@x>"}};
    mail::map_message_ids(header, lookup);
    return header.fields[1].body + header.fields[2].body;
  };
  const std::string both = " <ONE@prod.example> <TWO@prod.example>";
  CHECK(signed_by("DKIM-Signature", " v=1; h=from:subject; b=abc") == both);
  CHECK(signed_by("DKIM-Signature", " v=1; h=from:\r\n\tIN-Reply-To :date;\r\n b=abc") ==
        " <one@x> <TWO@prod.example>");
  CHECK(signed_by("dkim-signature", "v=1; h = references:in-reply-to") == " <one@x> <two@x>");
  CHECK(signed_by("ARC-Message-Signature", " i=1; h=References") == " <ONE@prod.example> <two@x>");
  CHECK(signed_by("X-Developer-Signature", " h=from:references;") == " <ONE@prod.example> <two@x>");
  CHECK(signed_by("DKIM-Signature", " bh=references; x=in-reply-to; h=;h") == both);
  CHECK(signed_by("X-Signature", " h=references") == both);
  CHECK(signed_by("DKIM-Signature", std::string(40000, ';')) == " <one@x> <two@x>");
}

TEST_CASE("message ids: what is asked for is what would be replaced", "[mail]") {
  Header header;
  header.fields = {{"References", " <a@b> <c@d>"}, {"In-Reply-To", " (<no@x>) <e@f>"}};
  CHECK(mail::referenced_ids(header) == std::vector<std::string>{"e@f", "a@b", "c@d"});
  header.prepend("DKIM-Signature", "h=references");
  CHECK(mail::referenced_ids(header) == std::vector<std::string>{"e@f"});
  CHECK(mail::referenced_ids(with(" <a@b>")).empty());
}

TEST_CASE("message ids: the id of a message", "[mail]") {
  CHECK(mail::message_id_of(with(" <a.b@c>")) == "a.b@c");
  CHECK(mail::message_id_of(with("\r\n <a@b> (comment)")) == "a@b");
  CHECK(mail::message_id_of(with(" (<x@y>) <a@b> <c@d>")) == "a@b");
  CHECK(mail::message_id_of(with(" <" + std::string(500, 'a') + ">")) == std::string(500, 'a'));
  CHECK(!mail::message_id_of(with(" <" + std::string(501, 'a') + ">")));
  for (const char* body : {"", " ", " a@b", " <a@b", " <a b>", " <>", " <a@b\xff>"}) {
    CHECK(!mail::message_id_of(with(body)));
  }
  CHECK(!mail::message_id_of(Header()));
}

TEST_CASE("message ids: the new id stands in the final reply", "[mail]") {
  CHECK(new_id("250 2.0.0 OK <AM0PR04MB1234F0@AM0PR04MB1234.eurprd04.prod.outlook.com> "
               "[Hostname=AM0PR04MB1234.eurprd04.prod.outlook.com]") ==
        "AM0PR04MB1234F0@AM0PR04MB1234.eurprd04.prod.outlook.com");
  CHECK(new_id("OK <> <x> <<a@b>> ") == "a@b");
  CHECK(new_id("250 OK <ours@x>") == "none");
  CHECK(new_id("250 OK <ours@x> <other@x>") == "none");
  for (const char* reply :
       {"", "250 2.0.0 Ok: queued as 4XYZ", "250 OK <", "250 OK <a@b", "250 OK a@b>", "250 <a b@c>",
        "250 <a@b@c>", "250 <a>", "250 <@b>", "250 <a@>", "250 <a..b@c>", "250 <.a@c>",
        "250 <a@c.>", "250 <a@\"c\">", "250 <a(x)@c>", "250 <a@[1.2.3.4]>", "250 <a\xc3\xa9@c>",
        "250 <a\x01@c>", "250 <a\r\n@c>"}) {
    CHECK(new_id(reply) == "none");
  }
  CHECK(new_id(std::string("250 <a\0b@c>", 11)) == "none");
  CHECK(new_id("<" + std::string(498, 'a') + "@b>") == std::string(498, 'a') + "@b");
  CHECK(new_id("<" + std::string(499, 'a') + "@b>") == "none");
  CHECK(new_id(std::string(2048, '<') + "<a@b>") == "none");
}

TEST_CASE("message ids: a hostile header of 1 MiB costs no time to speak of", "[mail]") {
  for (const char* piece : {"<", "(", ")", "\"", "\\", "<a@b>", "h=", ";", ":", "[", "\r\n "}) {
    std::string body;
    while (body.size() < std::size_t{1024} * 1024) body += piece;
    Header header;
    header.fields = {{"DKIM-Signature", body}, {"References", body}, {"In-Reply-To", " <one@x>"}};
    mail::map_message_ids(header, lookup);
    CHECK(header.fields[1].body == body);
  }
  // Many small ones of each kind.
  Header header;
  for (int i = 0; i < 10000; ++i) {
    header.fields.push_back({"DKIM-Signature", " h=references"});
    header.fields.push_back({"References", " <one@x>"});
    header.fields.push_back({"In-Reply-To", " <one@x>"});
  }
  CHECK(mail::map_message_ids(header, lookup) == 10000);
}
