#include "mail/mime_split.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/seal.h"
#include "catch.h"

namespace {

constexpr mail::SplitLimits limits{2000, 1'000'000, 5};

std::string in_lines(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 76) out += text.substr(at, 76) + "\r\n";
  return out;
}

std::string octets(std::size_t count, unsigned seed = 1) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1'103'515'245U + 12'345U;
    out += static_cast<char>(seed >> 16);
  }
  return out;
}

std::string part(const std::string& fields, const std::string& bytes) {
  return fields + "Content-Transfer-Encoding: base64\r\n\r\n" + in_lines(base::base64(bytes));
}

std::string multipart(const std::string& kind, const std::string& boundary,
                      const std::vector<std::string>& parts) {
  std::string out = "Content-Type: multipart/" + kind + "; boundary=\"" + boundary + "\"\r\n\r\n";
  for (const std::string& one : parts) out += "--" + boundary + "\r\n" + one;
  return out + "--" + boundary + "--\r\n";
}

std::string message(const std::string& content) {
  return "From: a@b.c\r\nSubject: s\r\nMIME-Version: 1.0\r\n" + content;
}

const std::string text_part = "Content-Type: text/plain\r\n\r\nHere.\r\n";

struct Taken {
  std::string rest{};
  std::vector<mail::SplitPart> parts{};
  std::vector<std::string> bytes{};
};

base::Result<Taken> split(const std::string& text, mail::SplitLimits within = limits) {
  base::Scratch whole;
  REQUIRE(whole.append(text).ok());
  base::Result<mail::Split> made = mail::split_with_gmime(whole, within);
  if (!made) return std::move(made).error();
  const std::string all = made->bytes.all(50'000'000).value();
  Taken out;
  out.rest = all.substr(0, made->rest_size);
  out.parts = made->parts;
  for (const mail::SplitPart& one : out.parts)
    out.bytes.push_back(all.substr(one.offset, one.size));
  return out;
}

std::string refused(const std::string& text, mail::SplitLimits within = limits) {
  base::Result<Taken> taken = split(text, within);
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().fault == base::Fault::bad_message);
  CHECK_FALSE(taken.error().cure.empty());
  CHECK(taken.error().cause.size() < 80);
  return taken.error().cause;
}

}  // namespace

TEST_CASE("split: the large attachment is taken out, all else keeps its bytes", "[mail]") {
  const std::string bytes = octets(10'001);
  const std::string small = part("Content-Type: image/png\r\n", octets(30));
  const std::string large = part(
      "Content-Type: application/zip\r\nContent-Disposition: attachment; filename=\"a b.zip\"\r\n",
      bytes);
  const auto taken = split(message(multipart("mixed", "edge", {text_part, small, large})));
  REQUIRE(taken.ok());
  CHECK(taken->rest == message(multipart("mixed", "edge", {text_part, small})));
  REQUIRE(taken->parts.size() == 1);
  CHECK(taken->parts[0].name == "a b.zip");
  CHECK(taken->parts[0].type == "application/zip");
  CHECK(taken->parts[0].content_id.empty());
  CHECK_FALSE(taken->parts[0].is_inline);
  CHECK(taken->bytes[0] == bytes);
}

TEST_CASE("split: attachments behind the first one taken follow it, so that their order stays",
          "[mail]") {
  const auto zip = [](const std::string& name, std::size_t size, unsigned seed) {
    return part("Content-Type: application/zip; name=" + name + "\r\n", octets(size, seed));
  };
  const std::string first = zip("one", 50, 1);
  const std::string notes =
      "Content-Type: text/plain; charset=koi8-r; name=notes.txt\r\n"
      "Content-Disposition: attachment\r\n\r\nx\r\n";
  const auto taken = split(message(multipart(
      "mixed", "edge",
      {text_part, first, zip("two", 9000, 2), notes, zip("three", 50, 3), zip("four", 9000, 4)})));
  REQUIRE(taken.ok());
  // A text would lose its character set.
  CHECK(taken->rest == message(multipart("mixed", "edge", {text_part, first, notes})));
  REQUIRE(taken->parts.size() == 3);
  CHECK(taken->parts[0].name == "two");
  CHECK(taken->parts[1].name == "three");
  CHECK(taken->parts[2].name == "four");
  CHECK(taken->bytes[1] == octets(50, 3));
}

TEST_CASE("split: nested multiparts and inline images with their content ids", "[mail]") {
  const std::string html = "Content-Type: text/html\r\n\r\n<img src=\"cid:logo@x\">\r\n";
  const std::string image = part(
      "Content-Type: image/png; name=logo.png\r\nContent-ID: <logo@x>\r\n"
      "Content-Disposition: inline; filename=logo.png\r\n",
      octets(9000, 5));
  const std::string pdf = part(
      "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
      "Content-ID: <f_1>\r\n",
      octets(9000, 6));
  const std::string related = multipart("related", "r", {html, image});
  const std::string tree =
      message(multipart("mixed", "m", {multipart("alternative", "a", {text_part, related}), pdf}));
  const auto taken = split(tree);
  REQUIRE(taken.ok());
  CHECK(taken->rest ==
        message(multipart(
            "mixed", "m",
            {multipart("alternative", "a", {text_part, multipart("related", "r", {html})})})));
  REQUIRE(taken->parts.size() == 2);
  CHECK(taken->parts[0].content_id == "logo@x");
  CHECK(taken->parts[0].is_inline);
  CHECK(taken->bytes[0] == octets(9000, 5));
  CHECK(taken->parts[1].content_id == "f_1");
  CHECK_FALSE(taken->parts[1].is_inline);
  CHECK(taken->bytes[1] == octets(9000, 6));
}

TEST_CASE("split: names by RFC 2231 and RFC 2047, hostile and missing ones", "[mail]") {
  struct Row {
    std::string field;
    std::string name;
  };
  const std::vector<Row> rows = {
      {"attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe%20%E2%82%AC.pdf",
       "Gr\xC3\xBC\xC3\x9F"
       "e \xE2\x82\xAC.pdf"},
      {"attachment; filename*0=\"long \"; filename*1=\"name.pdf\"", "long name.pdf"},
      {"attachment; filename*=iso-8859-1''%E9.txt", "\xC3\xA9.txt"},
      {"attachment; filename=\"=?utf-8?B?w6k=?=.txt\"", "\xC3\xA9.txt"},
      {"attachment; filename=\"../../etc/passwd\"", ".._.._etc_passwd"},
      {"attachment; filename*=utf-8''a%0D%0Ab%07c", "a__b_c"},
      {"attachment", "attachment-2"},
  };
  for (const Row& row : rows) {
    INFO(row.field);
    const auto taken = split(message(multipart(
        "mixed", "edge",
        {text_part, part("Content-Type: application/octet-stream\r\nContent-Disposition: " +
                             row.field + "\r\n",
                         octets(9000))})));
    REQUIRE(taken.ok());
    REQUIRE(taken->parts.size() == 1);
    CHECK(taken->parts[0].name == row.name);
  }
}

TEST_CASE("split: a forwarded message goes as a whole, with what is inside", "[mail]") {
  const std::string inner =
      "Subject: inner\r\nMIME-Version: 1.0\r\n" +
      multipart("mixed", "edge2",
                {text_part, part("Content-Type: image/png; name=x.png\r\n", octets(9000))});
  const auto taken = split(message(multipart(
      "mixed", "edge",
      {text_part, "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" + inner,
       "Content-Type: text/plain\r\n\r\nfooter\r\n"})));
  REQUIRE(taken.ok());
  REQUIRE(taken->parts.size() == 1);
  CHECK(taken->parts[0].type == "message/rfc822");
  CHECK(taken->parts[0].name == "message-2.eml");
  CHECK(taken->bytes[0] + "\r\n" == inner);
  CHECK(taken->rest ==
        message(
            multipart("mixed", "edge", {text_part, "Content-Type: text/plain\r\n\r\nfooter\r\n"})));
}

TEST_CASE("split: a multipart of nothing but large attachments keeps an empty text", "[mail]") {
  const std::string zip = part("Content-Type: application/zip; name=z\r\n", octets(9000));
  const auto taken = split(message(multipart("mixed", "edge", {zip, zip})));
  REQUIRE(taken.ok());
  CHECK(taken->parts.size() == 2);
  CHECK(taken->rest ==
        message(multipart("mixed", "edge",
                          {"Content-Type: text/plain; charset=us-ascii\r\n\r\n\r\n"})));
}

TEST_CASE("split: quoted-printable, 7bit and header-less neighbours", "[mail]") {
  std::string lines;
  for (int i = 0; i < 400; ++i) lines += "line =3D " + std::to_string(i) + "\r\n";
  const std::string field = "Content-Disposition: attachment; filename=x.csv\r\n";
  for (const bool quoted : {false, true}) {
    const std::string encoding = quoted ? "quoted-printable" : "7bit";
    const auto taken = split(message(multipart(
        "mixed", "edge",
        {"\r\nno header\r\n", "Content-Type: text/csv\r\n" + field +
                                  "Content-Transfer-Encoding: " + encoding + "\r\n\r\n" + lines})));
    REQUIRE(taken.ok());
    REQUIRE(taken->parts.size() == 1);
    std::string wanted = lines.substr(0, lines.size() - 2);
    if (quoted) {
      std::size_t at = 0;
      while ((at = wanted.find("=3D", at)) != std::string::npos) wanted.replace(at, 3, "=");
    }
    CHECK(taken->bytes[0] == wanted);
    CHECK(taken->rest == message(multipart("mixed", "edge", {"\r\nno header\r\n"})));
  }
}

TEST_CASE("split: a message cut off in its attachment loses no more", "[mail]") {
  std::string text = message(
      multipart("mixed", "edge",
                {text_part, part("Content-Type: application/zip; name=z\r\n", octets(9000))}));
  text.resize(text.find("--edge--"));
  const auto taken = split(text);
  REQUIRE(taken.ok());
  REQUIRE(taken->parts.size() == 1);
  CHECK(taken->bytes[0] == octets(9000));
}

TEST_CASE("split: signed and encrypted messages are refused", "[mail]") {
  const std::string zip = part("Content-Type: application/zip; name=z\r\n", octets(9000));
  const std::string seal = part("Content-Type: application/pgp-signature\r\n", octets(100));
  const std::string inside = multipart("mixed", "edge", {text_part, zip});
  CHECK(refused(message(multipart("signed", "s", {inside, seal}))).find("signed") !=
        std::string::npos);
  refused(message(multipart("encrypted; protocol=x", "s", {inside, seal})));
  refused(message(part("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n", octets(9000))));
  refused(message(multipart("mixed", "m", {multipart("signed", "s", {inside, seal}), zip})));
}

TEST_CASE("split: what is large and no attachment is refused", "[mail]") {
  const std::string lines(9000, 'x');
  const std::string zip = part("Content-Type: application/zip; name=z\r\n", octets(9000));
  refused(message("\r\n" + lines));
  refused(message("Content-Type: text/html\r\n\r\n" + lines));
  refused(message(part("Content-Type: application/zip; name=z\r\n", octets(9000))));
  CHECK(refused(message(multipart("mixed", "edge",
                                  {"Content-Type: text/plain\r\n\r\n" + lines + "\r\n", zip})))
            .find("no attachment") != std::string::npos);
  refused(message(multipart("alternative", "edge", {text_part, zip})));
  refused(message(multipart("related", "edge", {zip, text_part})));
  // An encoding that nobody takes off, and a boundary that is never seen.
  refused(message(multipart("mixed", "edge",
                            {text_part,
                             "Content-Type: application/zip\r\n"
                             "Content-Transfer-Encoding: x-odd\r\n\r\n" +
                                 lines + "\r\n"})));
  refused(message("Content-Type: multipart/mixed; boundary=other\r\n\r\n--edge\r\n" + zip));
}

TEST_CASE("split: limits of parts", "[mail]") {
  const std::string zip = part("Content-Type: application/zip; name=z\r\n", octets(3000));
  const std::string six = message(multipart("mixed", "edge", {zip, zip, zip, zip, zip, zip}));
  CHECK(refused(six).find("too many attachments") != std::string::npos);
  CHECK(refused(six, {2000, 2999, 10}).find("too large") != std::string::npos);
  CHECK(split(six, {2000, 3000, 10}).ok());
}

TEST_CASE("split: what it takes apart can be put together, for all cuts of one message", "[mail]") {
  const std::string whole = message(multipart(
      "mixed", "m",
      {multipart("related", "mm",
                 {text_part, part("Content-Type: image/gif\r\nContent-ID: <i>\r\n", octets(4000))}),
       part("Content-Type: application/zip; name=z\r\n", octets(5000))}));
  for (std::size_t end = 200; end < whole.size(); end += 61) {
    INFO(end);
    const auto taken = split(whole.substr(0, end));
    if (!taken.ok()) continue;
    CHECK(taken->rest.size() <= limits.rest_bytes);
    for (const std::string& bytes : taken->bytes) {
      const std::string wanted = octets(std::max<std::size_t>(bytes.size(), 1));
      CHECK(bytes == wanted.substr(0, bytes.size()));
    }
  }
}

TEST_CASE("split: a multipart that is never closed keeps what stands behind it", "[mail]") {
  const std::string pdf = part("Content-Type: application/pdf; name=a.pdf\r\n", octets(9000));
  std::string related =
      multipart("related", "r",
                {text_part, part("Content-Type: image/png\r\nContent-ID: <i>\r\n", octets(500))});
  related.resize(related.find("--r--"));
  const auto taken = split(message(multipart("mixed", "m", {related, pdf})));
  REQUIRE(taken.ok());
  REQUIRE(taken->parts.size() == 1);
  CHECK(taken->bytes[0] == octets(9000));
  CHECK(taken->rest == message(multipart("mixed", "m", {related})));
}
