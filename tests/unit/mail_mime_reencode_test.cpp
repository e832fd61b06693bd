#include <sys/resource.h>

#include "base/seal.h"
#include "base/text.h"
#include "catch.h"
#include "mail/mime.h"

namespace {

base::Scratch scratch_of(std::string_view text) {
  base::Scratch bytes;
  REQUIRE(bytes.append(text).ok());
  return bytes;
}

std::string reencoded(const std::string& text, bool seven_bit = true) {
  const base::Scratch whole = scratch_of(text);
  const auto out = mail::reencode_with_gmime(whole, seven_bit);
  if (!out.ok()) {
    CHECK(out.error().fault == base::Fault::bad_message);
    return "error: " + out.error().cause;
  }
  return out.value().all(100 << 20).value();
}

const std::string e_acute = "\xc3\xa9";

}  // namespace

TEST_CASE("reencode: what needs nothing comes out byte for byte", "[mail]") {
  for (const std::string& text :
       {std::string("\r\nbody\r\n"), std::string("From: a@b\r\n\r\n"), std::string("From: a@b\r\n"),
        "Subject : odd\r\nX:y\r\nContent-Type: text/plain\r\n\r\n" + std::string(998, 'x') + "\r\n",
        std::string(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b \r\n\r\none\r\n\r\n"
            "--b\r\ncontent-type : application/pdf\r\n\r\ntwo\r\n--b--\r\nepilogue\r\n")})
    CHECK(reencoded(text) == text);
  CHECK(reencoded("A: b\r\n\r\n" + e_acute + "\r\n", false) == "A: b\r\n\r\n" + e_acute + "\r\n");
}

TEST_CASE("reencode: D6: an 8-bit text becomes quoted-printable", "[mail]") {
  CHECK(reencoded("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: 8bit\r\nX: y\r\n\r\nout " +
                  e_acute + "n = 1 \r\nmany other words here\r\n") ==
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\nX: y\r\n\r\nout =C3=A9n =3D 1=20\r\n"
        "many other words here\r\n");
}

TEST_CASE("reencode: a text that is mostly 8-bit becomes base64", "[mail]") {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "\xe6\x97\xa5\xe6\x9c\xac";
  const std::string out = reencoded(
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n");
  CHECK(out.find("Content-Transfer-Encoding: base64\r\n\r\n") != std::string::npos);
  std::string payload;
  for (const char c : out.substr(out.find("\r\n\r\n") + 4))
    if (c != '\r' && c != '\n') payload += c;
  CHECK(base::from_base64(payload).value() == text + "\r\n");
  CHECK(out.ends_with("\r\n"));
}

TEST_CASE("reencode: a message without MIME header gets one", "[mail]") {
  const std::string out = reencoded("Subject: x\r\n\r\nhello world " + e_acute + "\r\n");
  CHECK(out ==
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nhello world =C3=A9\r\n");
  CHECK(reencoded("Subject: x\r\n\r\nlatin text \xe9\r\n").find("charset=unknown-8bit") !=
        std::string::npos);
  const std::string nul = reencoded(std::string("Subject: x\r\n\r\na\0b\r\n", 19), false);
  CHECK(nul.find("charset=us-ascii") != std::string::npos);
  CHECK(nul.find("\r\n\r\na=00b\r\n") != std::string::npos);
}

TEST_CASE("reencode: 3.8: a line over 998 octets is broken softly", "[mail]") {
  const std::string out = reencoded("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" +
                                        std::string(3000, 'x') + "\r\nend\r\n",
                                    false);
  CHECK(out.find("quoted-printable") != std::string::npos);
  std::string text = out.substr(out.find("\r\n\r\n") + 4);
  for (std::size_t at = 0; (at = text.find("=\r\n")) != std::string::npos;) text.erase(at, 3);
  CHECK(text == std::string(3000, 'x') + "\r\nend\r\n");
}

TEST_CASE("reencode: of a multipart only the part that needs it changes", "[mail]") {
  const std::string head =
      "From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"b\"\r\n\r\n"
      "preamble\r\n--b\r\nContent-Type:   text/html;  charset=us-ascii \r\n\r\n<p>one\r\n--b\r\n";
  const std::string tail =
      "\r\n--b\r\nContent-Type: application/pdf\r\ncontent-transfer-encoding: "
      "BASE64\r\n\r\nQUJD\r\n"
      "--b--\r\nepilogue\r\n";
  CHECK(reencoded(head + "Content-Type: text/plain; charset=utf-8\r\n\r\nsome text " + e_acute +
                  tail) ==
        head +
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
            "quoted-printable\r\n\r\nsome text =C3=A9" +
            tail);
  CHECK(reencoded(head +
                  "Content-Type: application/x\r\nContent-Transfer-Encoding: binary\r\nX: "
                  "y\r\n\r\n\xff\xfe" +
                  tail) ==
        head +
            "Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\nX: y\r\n\r\n//4=" +
            tail);
  CHECK(reencoded(head + "\r\nplain text part with " + e_acute + "\r\n" + tail) ==
        head +
            "Content-Transfer-Encoding: quoted-printable\r\n\r\nplain text part with =C3=A9\r\n" +
            tail);
}

TEST_CASE("reencode: base64 on one endless line is wrapped anew", "[mail]") {
  const std::string plain(3000, 'z');
  const std::string out = reencoded(
      "MIME-Version: 1.0\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\n" +
          base::base64(plain) + "\r\n",
      false);
  const std::string body = out.substr(out.find("\r\n\r\n") + 4);
  std::string payload;
  for (const std::string_view line : base::split(body, '\n')) {
    CHECK(line.size() <= 77);
    payload += base::trim(line);
  }
  CHECK(base::from_base64(payload).value() == plain);
}

TEST_CASE("reencode: a message inside is looked into", "[mail]") {
  const std::string out = reencoded(
      "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nsome words "
      "and " +
      e_acute + "\r\n");
  CHECK(out ==
        "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nMIME-Version: "
        "1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
        "quoted-printable\r\n\r\n"
        "some words and =C3=A9\r\n");
  const std::string raw =
      reencoded("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nSubject: caf" + e_acute +
                "\r\n\r\nx\r\n");
  CHECK(raw.find("Subject: =?utf-8?Q?caf=C3=A9?=\r\n") != std::string::npos);
}

TEST_CASE("reencode: a part's header obeys the same limits", "[mail]") {
  const std::string out = reencoded(
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; name=\"" +
      e_acute + ".txt\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\nsome more words " + e_acute +
      "\r\n--b--\r\n");
  CHECK(out.find("Content-Type: text/plain; name*=utf-8''%C3%A9.txt\r\nContent-Transfer-Encoding: "
                 "quoted-printable\r\n\r\nsome") != std::string::npos);
}

TEST_CASE("reencode: signed and encrypted parts are refused, not changed", "[mail]") {
  const std::string sealed =
      "Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\r\n\r\n"
      "--b\r\nContent-Type: text/plain\r\n\r\ntext ";
  const std::string end =
      "\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--b--\r\n";
  CHECK(reencoded(sealed + e_acute + end).find("error: a signed or encrypted part has 8-bit") == 0);
  CHECK(reencoded(sealed + std::string(2000, 'x') + end, false).find("line over 998") !=
        std::string::npos);
  CHECK(reencoded(sealed + "plain" + end) == sealed + "plain" + end);
  CHECK(reencoded("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: "
                  "binary\r\n\r\n\xff\r\n")
            .find("error: a signed") == 0);
  CHECK(reencoded("Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\n" + e_acute +
                  "\r\n--o\r\n" + sealed + "plain" + end + "--o--\r\n")
            .find(sealed + "plain" + end) != std::string::npos);
}

TEST_CASE("reencode: what stands outside of all parts cannot be encoded", "[mail]") {
  CHECK(reencoded("Content-Type: multipart/mixed; boundary=b\r\n\r\npre " + e_acute +
                  "\r\n--b\r\n\r\nx\r\n--b--\r\n")
            .find("error: outside its parts") == 0);
  CHECK(reencoded("Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n" +
                  e_acute + "\r\n")
            .find("error: a part with Content-Transfer-Encoding x-uuencode") == 0);
}

TEST_CASE("reencode: hostile structure is bounded", "[mail]") {
  std::string deep;
  for (int i = 0; i < 5000; ++i) {
    const std::string n = std::to_string(i);
    deep += "Content-Type: multipart/mixed; boundary=b" + n + "\r\n\r\n--b" + n + "\r\n";
  }
  reencoded(deep + "\r\n" + e_acute + "\r\n");  // any answer, no crash
  std::string wide = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  while (wide.size() < 2000000) wide += "--b\r\n\r\n";
  CHECK(reencoded(wide + e_acute + "\r\n--b--\r\n").find("error: too many parts") == 0);
  std::string messages = "MIME-Version: 1.0\r\n";
  for (int i = 0; i < 5000; ++i) messages += "Content-Type: message/rfc822\r\n\r\n";
  reencoded(messages + "\r\n" + e_acute + "\r\n");
}

TEST_CASE("reencode: a large attachment streams", "[mail]") {
  base::Scratch whole;
  REQUIRE(
      whole
          .append("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n\r\nsome words and " +
                  e_acute +
                  "\r\n--b\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: "
                  "base64\r\n\r\n")
          .ok());
  std::string lines;
  while (lines.size() < 60000) lines += std::string(76, 'A') + "\r\n";
  for (int i = 0; i < 340; ++i) REQUIRE(whole.append(lines).ok());
  REQUIRE(whole.append("--b--\r\n").ok());
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const auto out = mail::reencode_with_gmime(whole, true);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  REQUIRE(out.ok());
  const std::uint64_t added =
      std::string("Content-Transfer-Encoding: quoted-printable\r\n").size() +
      std::string("=C3=A9").size() - 2;
  CHECK(out.value().size_bytes() == whole.size_bytes() + added);
#ifndef __SANITIZE_ADDRESS__
  CHECK(after.ru_maxrss - before.ru_maxrss < 8 * 1024);
#endif
}
