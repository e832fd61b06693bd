#include <string>

#include "catch.h"
#include "sandbox/data_filter.h"
#include "sandbox/message_check.h"
#include "sandbox/smtp_path.h"

using sandbox::DataFilter;

namespace {

struct Filtered {
  std::string text;
  bool ended = false;
  std::size_t taken = 0;
  sandbox::LineFaults faults;
};

Filtered filter(const std::string& input, std::size_t piece = 1) {
  DataFilter data;
  Filtered out;
  for (std::size_t at = 0; at < input.size() && !data.ended();) {
    const std::size_t taken = data.take(std::string_view(input).substr(at, piece), out.text);
    at += taken;
    out.taken = at;
  }
  out.ended = data.ended();
  out.faults = data.faults();
  return out;
}

const sandbox::User me{"me@x.example", {"*@apps.x.example"}, true, false};

}  // namespace

TEST_CASE("data: dots are unstuffed and only CRLF.CRLF ends", "[sandbox]") {
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U}) {
    const Filtered got = filter("a\r\n..b\r\n...\r\n.c\r\n.\r\nQUIT\r\n", piece);
    CHECK(got.ended);
    CHECK(got.text == "a\r\n.b\r\n..\r\nc\r\n");
    CHECK(got.taken <= 22);
    CHECK_FALSE(got.faults.bare_lf);
    CHECK_FALSE(got.faults.bare_cr);
  }
  CHECK(filter("a\r\n.\r\nQUIT\r\n", 100).taken == 6);
}

TEST_CASE("data: smuggled ends are no ends, and are told", "[sandbox]") {
  for (const char* end : {"a\n.\n", "a\r\n.\n", "a\n.\r\n", "a\r.\r", "a\r\n.\r\r\n"}) {
    const Filtered got = filter(end);
    INFO(end);
    CHECK_FALSE(got.ended);
    CHECK((got.faults.bare_lf || got.faults.bare_cr));
  }
}

TEST_CASE("data: an empty message ends at once", "[sandbox]") {
  const Filtered got = filter(".\r\n");
  CHECK(got.ended);
  CHECK(got.text.empty());
}

TEST_CASE("data: long lines, NUL and 8-bit bytes are remembered", "[sandbox]") {
  const Filtered got =
      filter(std::string(998, 'x') + "\r\n" + std::string("\0", 1) + "\xc3\r\n.\r\n");
  CHECK(got.faults.longest_line == 998);
  CHECK(got.faults.nul);
  CHECK(got.faults.eight_bit);
  CHECK(filter(std::string(999, 'x') + "\r\n.\r\n").faults.longest_line == 999);
}

TEST_CASE("message: From is found behind names, comments and quotes", "[sandbox]") {
  using sandbox::addresses_in;
  CHECK(addresses_in(" Me <me@x.example>") == std::vector<std::string>{"me@x.example"});
  CHECK(addresses_in("\"a, <b@c>\" <me@x.example>") == std::vector<std::string>{"me@x.example"});
  CHECK(addresses_in("me@x.example (a, b)") == std::vector<std::string>{"me@x.example"});
  CHECK(addresses_in("a@x, b@y").size() == 2);
  CHECK(addresses_in("no address") == std::vector<std::string>{""});
}

TEST_CASE("message: the header gets Exchange's refusals", "[sandbox]") {
  const auto judged = [](const std::string& header) {
    return sandbox::judge_header(header, &me, "H").substr(0, 10);
  };
  CHECK(judged("From: me@x.example\r\n").empty());
  CHECK(judged("From: robot@APPS.x.example\r\n").empty());
  CHECK(judged("From: you@x.example\r\n") == "554 5.2.25");
  CHECK(judged("Subject: x\r\n") == "550 5.7.51");
  CHECK(judged("From: root\r\n") == "550 5.7.51");
  CHECK(judged("From: me@x.example\r\nFrom: me@x.example\r\n") == "550 5.7.51");
  CHECK(judged("From: me@x.example, a@apps.x.example\r\n") == "550 5.1.20");
  CHECK(judged("From: me@x.example, a@apps.x.example\r\nSender: me@x.example\r\n").empty());
  CHECK(judged("From: me@x.example\r\nX-Long: " + std::string(33 * 1024, 'x') + "\r\n") ==
        "554 5.6.21");
  CHECK(judged("From: me@x.example\r\n" + std::string(257 * 1024, 'x')) == "552 5.3.4 ");
}

TEST_CASE("message: the Message-ID is replaced and the first one kept", "[sandbox]") {
  CHECK(sandbox::replace_message_id("A: 1\r\nmessage-id: <old@x>\r\nB: 2\r\n", "new@h") ==
        "Message-ID: <new@h>\r\nA: 1\r\nX-Microsoft-Original-Message-ID: <old@x>\r\nB: 2\r\n");
  CHECK(sandbox::replace_message_id("A: 1\r\n", "new@h") == "Message-ID: <new@h>\r\nA: 1\r\n");
  CHECK(sandbox::own_message_id("A: 1\r\nmessage-id:\r\n <old@x> \r\nB: 2\r\n") == "old@x");
  for (const char* section :
       {"A: 1\r\n", "Message-ID:\r\n", "Message-ID: old@x\r\n", "Message-ID: <a b>\r\n",
        "Message-ID: <a><b>\r\n", "Message-ID: <\xc3\xa9@x>\r\n", "Message-ID: <a\x01@x>\r\n"}) {
    CHECK(sandbox::own_message_id(section).empty());
  }
}

TEST_CASE("path: MAIL and RCPT arguments are read strictly", "[sandbox]") {
  sandbox::PathCommand out;
  REQUIRE(sandbox::parse_path_command("from:<a@b.example> SIZE=12 body=8BITMIME", "FROM:", out));
  CHECK(out.address == "a@b.example");
  REQUIRE(out.parameters.size() == 2);
  CHECK(out.parameters[0] == std::make_pair(std::string("SIZE"), std::string("12")));
  CHECK(out.parameters[1] == std::make_pair(std::string("BODY"), std::string("8BITMIME")));
  sandbox::PathCommand null;
  CHECK(sandbox::parse_path_command("FROM:<>", "FROM:", null));
  CHECK(null.address.empty());
  sandbox::PathCommand quoted;
  CHECK(sandbox::parse_path_command("TO:<\"a>b\"@c.example>", "TO:", quoted));
  CHECK(quoted.address == "\"a>b\"@c.example");
  for (const char* bad : {"FROM: <a@b>", "FROM:a@b", "FROM:<a@b", "FROM:<a b@c>", "FROM:<a@b>x",
                          "FROM:<a@b@c>", "FROM:<a@>", "FROM:<@b>", "FROM:<a..b@c>", "FROM:<a@-b>",
                          "FROM:<a\x01@b>", "FROM:<\xff@b>", "TO:<a@b>"}) {
    sandbox::PathCommand refused;
    INFO(bad);
    CHECK_FALSE(sandbox::parse_path_command(bad, "FROM:", refused));
  }
}
