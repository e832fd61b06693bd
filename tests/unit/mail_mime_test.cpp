#include "mail/mime.h"

#include <chrono>
#include <random>

#include "base/seal.h"
#include "base/text.h"
#include "catch.h"

namespace {

std::string encoded(const char* name, const std::string& body) {
  mail::Header header;
  header.fields.push_back({name, body});
  mail::encode_header(header);
  return header.fields[0].body;
}

int hex(char c) {
  return base::is_digit(c) ? c - '0' : base::to_lower(c) - 'a' + 10;
}

std::string q_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=') {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '_' ? ' ' : text[i];
    }
  }
  return out;
}

// What a reader shows of an unstructured field (RFC 2047 6.2): encoded words decoded, white space
// between two of them dropped, folds undone.
std::string shown(const std::string& body) {
  std::string out;
  std::string blank;
  bool after_encoded = false;
  const std::string text = mail::unfold(body);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && !base::is_blank(text[end])) ++end;
    const std::string word = text.substr(at, end - at);
    const bool is_encoded =
        word.size() > 8 && word.substr(0, 2) == "=?" && word.substr(word.size() - 2) == "?=";
    if (!is_encoded || !after_encoded) out += blank;
    if (is_encoded) {
      CHECK(word.size() <= 75);
      const std::size_t kind = word.find('?', 2) + 1;
      const std::string payload = word.substr(kind + 2, word.size() - kind - 4);
      const std::string plain =
          word[kind] == 'B' ? base::from_base64(payload).value() : q_decoded(payload);
      if (word.substr(2, 5) == "utf-8") CHECK(base::is_utf8(plain));
      out += plain;
    } else {
      out += word;
    }
    after_encoded = is_encoded;
    blank.clear();
    while (end < text.size() && base::is_blank(text[end])) blank += text[end++];
    at = end;
  }
  return out;
}

std::size_t longest_line(const std::string& name, const std::string& body) {
  std::size_t longest = 0;
  const std::string text = name + ":" + body;
  for (const std::string_view line : base::split(text, '\n'))
    longest = std::max(longest, line.size() - (line.ends_with('\r') ? 1 : 0));
  return longest;
}

mail::Message message_of(const std::string& text) {
  base::Scratch bytes;
  REQUIRE(bytes.append(text).ok());
  return std::move(mail::split(std::move(bytes))).value();
}

}  // namespace

TEST_CASE("mime: R40: raw UTF-8 in a subject becomes encoded words", "[mail]") {
  CHECK(encoded("Subject", " Subj \xc3\xa9 t") == " Subj =?utf-8?Q?=C3=A9?= t");
  CHECK(encoded("Subject",
                " S\xc3\xbc"
                "bj") == " =?utf-8?Q?S=C3=BCbj?=");
  CHECK(encoded("Subject", " caf\xe9 t") == " =?windows-1252?Q?caf=E9?= t");
  CHECK(encoded("Subject", " plain =?utf-8?Q?x?=\r\n  text ") == " plain =?utf-8?Q?x?=\r\n  text ");
  CHECK(shown(encoded("Subject", " Cron <root@vm> echo hi \xc3\xa9; exit 3 (failed)")) ==
        "Cron <root@vm> echo hi \xc3\xa9; exit 3 (failed)");
}

TEST_CASE("mime: blanks between words that are both encoded survive", "[mail]") {
  CHECK(encoded("Subject", " \xc3\xa9  \xc3\xa8 b \xc3\xa9") ==
        " =?utf-8?Q?=C3=A9__=C3=A8_b_=C3=A9?=");
  const std::string old = "=?utf-8?Q?old?=";
  CHECK(shown(encoded("Subject", " " + old + " \xc3\xa9 " + old + " x")) == "old \xc3\xa9 old x");
}

TEST_CASE("mime: long text folds between words of at most 75 octets, no character cut", "[mail]") {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "\xe6\x97\xa5\xe6\x9c\xac\xc3\xa9\xf0\x9f\x98\x80";
  const std::string body = encoded("Subject", " " + text);
  CHECK(base::is_ascii(body));
  CHECK(longest_line("Subject", body) <= 76);
  CHECK(shown(body) == text);
  const std::string late = "a prefix that is long enough to leave no room at all for words";
  const std::string folded = encoded("Subject", " " + late + " " + text + " and a tail of text");
  CHECK(longest_line("Subject", folded) <= 76);
  CHECK(shown(folded) == late + " " + text + " and a tail of text");
}

TEST_CASE("mime: in address fields only names and comments are encoded", "[mail]") {
  CHECK(encoded("To", " J\xc3\xb6rg M. <j@x.org>, \"B\xc3\xb6, C\" <b@x.org>") ==
        " =?utf-8?Q?J=C3=B6rg?= M. <j@x.org>, =?utf-8?Q?B=C3=B6=2C_C?= <b@x.org>");
  CHECK(encoded("From", " root (Cr\xc3\xb6n (in\xc3\xa9) x)") ==
        " root (=?utf-8?Q?Cr=C3=B6n?= (=?utf-8?Q?in=C3=A9?=) x)");
  CHECK(encoded("Cc",
                " T\xc3\xa9"
                "am: a@x.org;") == " =?utf-8?Q?T=C3=A9am?= : a@x.org;");
  CHECK(encoded("To", " J\xc3\xb6rg<j@x.org>") == " =?utf-8?Q?J=C3=B6rg?= <j@x.org>");
  CHECK(encoded("To", " B\xc3\xb6 (note) \xc3\xa9 x <b@x>") ==
        " =?utf-8?Q?B=C3=B6?= (note) =?utf-8?Q?=C3=A9?= x <b@x>");
  CHECK(encoded("To", " j\xf6rg (Latin) <j@x.org>").find("windows-1252") != std::string::npos);
}

TEST_CASE("mime: addresses keep their UTF-8 but for domains, which become A-labels", "[mail]") {
  CHECK(encoded("To",
                " b\xc3\xb6"
                "b@x.org") ==
        " b\xc3\xb6"
        "b@x.org");
  CHECK(encoded("To", " Bob <bob@ex\xc3\xa4mple.org>") == " Bob <bob@xn--exmple-cua.org>");
  CHECK(encoded("To",
                " b\xc3\xb6"
                "b@ex\xc3\xa4mple.org") ==
        " b\xc3\xb6"
        "b@ex\xc3\xa4mple.org");
  CHECK(base::is_ascii(encoded("To",
                               " b\xf6"
                               "b@x.org")));  // no address anywhere
}

TEST_CASE("mime: an address field that cannot be read is still free of 8-bit bytes", "[mail]") {
  CHECK(base::is_ascii(encoded("To", " \"J\xc3\xb6rg <j@x.org>")));
  CHECK(base::is_ascii(encoded("To", " J\xc3\xb6rg M\xc3\xbcller j@x.org")));
}

TEST_CASE("mime: parameters beyond ASCII take the form of RFC 2231", "[mail]") {
  CHECK(
      encoded("Content-Disposition", " attachment; filename=\"\xc3\xa9t\xc3\xa9 1.pdf\"; size=3") ==
      " attachment; filename*=utf-8''%C3%A9t%C3%A9%201.pdf; size=3");
  CHECK(encoded("Content-Type", " a/b;\r\n\tname=\xe9.txt") ==
        " a/b;\r\n\tname*=windows-1252''%E9.txt");
  const std::string piece(80, 'x');
  const std::string body = encoded("Content-Type", " a/b; name=\"\xc3\xa9" + piece + "\"");
  CHECK(body.find("name*0*=utf-8''%C3%A9") != std::string::npos);
  CHECK(body.find(";\r\n name*1*=") != std::string::npos);
  CHECK(base::is_ascii(encoded("Content-Type", " t\xc3\xa9xt; name=\"\xc3\xa9")));
}

TEST_CASE("mime: encode_words leaves ASCII alone and takes control bytes out", "[mail]") {
  CHECK(mail::encode_words("plain text") == "plain text");
  CHECK(mail::encode_words("Zo\xc3\xab Dev") == "=?utf-8?Q?Zo=C3=AB_Dev?=");
  CHECK(shown(mail::encode_words("a\r\nX: \xc3\xa9")) == "a  X: \xc3\xa9");
}

TEST_CASE("mime: property: random headers come out 7-bit, short and meaning the same", "[mail]") {
  std::mt19937 random(20261120);
  const std::vector<std::string> pieces = {"a",
                                           "bc",
                                           "\xc3\xa9",
                                           "\xe6\x97\xa5",
                                           " ",
                                           "  ",
                                           "\r\n ",
                                           "\t",
                                           "=?",
                                           "?=",
                                           "(",
                                           ")",
                                           "\"",
                                           "<",
                                           ">",
                                           "@",
                                           ",",
                                           ";",
                                           ":",
                                           "\\",
                                           ".",
                                           "x@y.org",
                                           "=?utf-8?Q?q?=",
                                           "\xf0\x9f\x98\x80",
                                           std::string(60, 'w'),
                                           "\xff",
                                           "[",
                                           "]"};
  const std::vector<const char*> names = {"Subject",      "To", "From",
                                          "Content-Type", "X",  "References"};
  for (int round = 0; round < 20000; ++round) {
    std::string body = " ";
    const bool utf8 = random() % 4 != 0;
    for (std::size_t i = random() % 24; i > 0; --i) {
      const std::string& piece = pieces[random() % pieces.size()];
      if (utf8 && piece == "\xff") continue;
      if (piece == "\r\n " && base::trim(body).empty()) continue;
      body += piece;
    }
    const char* name = names[random() % names.size()];
    const std::string out = encoded(name, body);
    INFO(name << ":" << body << "\n=> " << out);
    if (base::is_ascii(body)) REQUIRE(out == body);
    const bool may_keep = std::string(name) == "To" || std::string(name) == "From";
    if (!may_keep) REQUIRE(base::is_ascii(out));
    REQUIRE(base::is_utf8(out));
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (out[i] == '\r')
        REQUIRE((i + 2 < out.size() && out[i + 1] == '\n' && base::is_blank(out[i + 2])));
      if (out[i] == '\n') REQUIRE((i > 0 && out[i - 1] == '\r'));
    }
    if (std::string(name) == "Subject" && utf8 && body.find("=?") == std::string::npos) {
      const std::string expected = mail::unfold(body);
      const std::string got = shown(out);
      const auto squeeze = [](const std::string& text) {
        std::string squeezed;
        for (const char c : text)
          if (!base::is_blank(c)) squeezed += c;
        return squeezed;
      };
      REQUIRE(squeeze(got) == squeeze(expected));
    }
  }
}

TEST_CASE("mime: 1 MiB of hostile header text takes no quadratic time", "[mail]") {
  for (const char* unit :
       {"\xc3\xa9 ", "(\xc3\xa9)", "\"\xc3\xa9\",", "=?utf-8?Q?x?= \xc3\xa9 ", "(", "\xc3\xa9"}) {
    std::string body = " ";
    while (body.size() < 1000000) body += unit;
    for (const char* name : {"Subject", "To", "Content-Type"})
      CHECK(encoded(name, body).size() >= 1000000);
  }
}

TEST_CASE("mime: 60,000 pairs of an encoded and a raw word take no quadratic time", "[mail]") {
  std::string body;
  for (int i = 0; i < 60'000; ++i) body += " =?utf-8?Q?a?= \xc3\xa9";
  const auto begin = std::chrono::steady_clock::now();
  const std::string out = encoded("Subject", body);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  CHECK(base::is_ascii(out));
  CHECK(out.size() > body.size());
  CHECK(taken.count() < 1.5);  // 0.03 s; under the sanitizers 0.1 s
}

TEST_CASE("mime: R41: an 8-bit body without MIME header gets one", "[mail]") {
  mail::Message at = message_of("Subject: Output\r\nTo: alice\r\n\r\nhello \xc3\xa9\r\n");
  mail::label_8bit_body(at);
  CHECK(at.header.find("MIME-Version")->body == " 1.0");
  CHECK(at.header.find("Content-Type")->body == " text/plain; charset=utf-8");
  CHECK(at.header.find("Content-Transfer-Encoding")->body == " 8bit");
}

TEST_CASE("mime: R41: anacron's Content-Type without MIME-Version is made whole", "[mail]") {
  mail::Message anacron =
      message_of("Content-Type: text/plain; charset=UTF-8\r\n\r\nout \xc3\xa9n\r\n");
  mail::label_8bit_body(anacron);
  CHECK(anacron.header.find("Content-Type")->body == " text/plain; charset=UTF-8");
  CHECK(anacron.header.find("MIME-Version")->body == " 1.0");
  CHECK(anacron.header.find("Content-Transfer-Encoding")->body == " 8bit");
}

TEST_CASE("mime: R41: ASCII, Latin-1 and labelled bodies stay as they are", "[mail]") {
  for (const char* text : {"Subject: x\r\n\r\nascii\r\n", "Subject: x\r\n\r\nl2 \xe9\r\n",
                           "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n\xc3\xa9\r\n",
                           "mime-version: 1.0\r\n\r\n\xc3\xa9\r\n",
                           "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa9\r\n"}) {
    mail::Message message = message_of(text);
    const std::string before = message.header.text();
    mail::label_8bit_body(message);
    CHECK(message.header.text() == before);
  }
}

TEST_CASE("mime: UTF-8 is recognised across the pieces of a large body", "[mail]") {
  std::string text = "Subject: x\r\n\r\n";
  while (text.size() < 300000) text += "\xe6\x97\xa5\xf0\x9f\x98\x80 line\r\n";
  mail::Message good = message_of(text);
  mail::label_8bit_body(good);
  CHECK(good.header.find("MIME-Version") != nullptr);
  mail::Message cut = message_of(text + "\xe6\x97");
  mail::label_8bit_body(cut);
  CHECK(cut.header.find("MIME-Version") == nullptr);
}

TEST_CASE("mime: header lines over 998 octets are folded at blanks", "[mail]") {
  mail::Header header;
  std::string words = " ";
  while (words.size() < 3000) words += "word ";
  std::string list = " ";
  while (list.size() < 3000) list += "ann@example.org,";
  std::string ids = " ";
  while (ids.size() < 3000) ids += "<0123456789@example.org>";
  header.fields = {{"Subject", words},
                   {"To", list + "bob@example.org"},
                   {"References", ids},
                   {"X-One", " " + std::string(980, 'x')},
                   {"Short", " a\r\n b"}};
  REQUIRE(mail::fold_long_fields(header).ok());
  for (const mail::Field& field : header.fields)
    if (field.name != "X-One") CHECK(longest_line(field.name, field.body) <= 78);
  CHECK(header.fields[3].body == " " + std::string(980, 'x'));
  CHECK(header.fields[4].body == " a\r\n b");
  CHECK(mail::unfold(header.fields[0].body) == base::trim(words));
  CHECK(header.fields[1].body.find("ann@example.org,\r\n ann") != std::string::npos);
  std::string joined;
  for (const char c : header.fields[2].body)
    if (c != '\r' && c != '\n' && c != ' ') joined += c;
  CHECK(" " + joined == ids);
}

TEST_CASE("mime: a fold may be long where blanks are rare, and never is a line of blanks",
          "[mail]") {
  mail::Header header;
  header.fields = {{"X", " " + std::string(600, 'a') + " " + std::string(600, 'b') + "   "},
                   {"Y", " " + std::string(997, 'c')}};
  REQUIRE(mail::fold_long_fields(header).ok());
  CHECK(header.fields[0].body ==
        " " + std::string(600, 'a') + "\r\n " + std::string(600, 'b') + "   ");
  CHECK(header.fields[1].body == "\r\n " + std::string(997, 'c'));
}

TEST_CASE("mime: a header line that cannot be folded is 65", "[mail]") {
  mail::Header header;
  header.fields = {{"X-Token", " " + std::string(1200, 'x')}};
  const base::Done done = mail::fold_long_fields(header);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().fault == base::Fault::bad_message);
  CHECK(done.error().cause.find("X-Token") != std::string::npos);
}

TEST_CASE("mime: what has to be re-encoded", "[mail]") {
  CHECK_FALSE(mail::needs_reencoding(message_of("A: b\r\n\r\n\xc3\xa9\r\n"), true));
  CHECK(mail::needs_reencoding(message_of("A: b\r\n\r\n\xc3\xa9\r\n"), false));
  CHECK_FALSE(
      mail::needs_reencoding(message_of("A: b\r\n\r\n" + std::string(998, 'x') + "\r\n"), false));
  CHECK(mail::needs_reencoding(message_of("A: b\r\n\r\n" + std::string(999, 'x') + "\r\n"), true));
  CHECK(mail::needs_reencoding(message_of(std::string("A: b\r\n\r\na\0b\r\n", 13)), true));
}
