#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "catch.h"
#include "transport/smtp.h"
#include "transport/smtp_reply.h"

using transport::Reply;

namespace {

base::Result<Reply> read(const std::string& bytes) {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  net::FdStream stream{base::Fd(ends[0])};
  std::thread writer([&] {
    base::Fd fd(ends[1]);
    static_cast<void>(send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  });
  net::LineReader reader(stream, transport::reply_line_limit);
  base::Result<Reply> out = transport::read_reply(reader, base::Deadline::after_ms(5'000), {});
  shutdown(stream.fd(), SHUT_RDWR);
  writer.join();
  return out;
}

}  // namespace

TEST_CASE("reply: code, enhanced code and text of one line", "[transport]") {
  const Reply reply = read("535 5.7.3 Authentication unsuccessful [HOST]\r\n").value();
  CHECK(reply.code == 535);
  CHECK(reply.status == "5.7.3");
  CHECK(reply.text == "Authentication unsuccessful [HOST]");
  CHECK(one_line(reply) == "535 5.7.3 Authentication unsuccessful [HOST]");
}

TEST_CASE("reply: lines are joined and the enhanced code is told once", "[transport]") {
  const Reply reply =
      read("550-5.1.1 The account\r\n550-5.1.1 does not\r\n550 5.1.1 exist\r\n").value();
  CHECK(one_line(reply) == "550 5.1.1 The account does not exist");
  CHECK(reply.lines.size() == 3);
}

TEST_CASE("reply: P5 what is tolerated", "[transport]") {
  CHECK(read("250\r\n").value().code == 250);
  CHECK(read("250 \r\n").value().text.empty());
  CHECK(read("250 ok\n").value().text == "ok");
  CHECK(read("250-\r\n250\r\n").value().code == 250);
  CHECK(read("250 " + std::string(2044, 'x') + "\r\n").value().text.size() == 2044);
  CHECK(one_line(read("250 gr\xFC\x1B[31m\r\n").value()) == "250 gr\\xfc\\x1b[31m");
}

TEST_CASE("reply: P5 what is garbage", "[transport]") {
  for (const std::string& bytes :
       {std::string("99 x\r\n"), std::string("199 x\r\n"), std::string("600 x\r\n"),
        std::string("2500 x\r\n"), std::string("25\r\n"), std::string("\r\n"),
        std::string("-250 x\r\n"), std::string("250-a\r\n251 b\r\n"),
        std::string("250-a\r\nhello\r\n"), std::string("\xFF\xFE\r\n"),
        std::string(5'000'000, 'x')}) {
    INFO(bytes.substr(0, 20));
    const base::Result<Reply> got = read(bytes);
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().fault == base::Fault::protocol);
  }
}

TEST_CASE("reply: P2 a hundred lines are a reply, one more is not", "[transport]") {
  std::string lines;
  for (int i = 0; i < 99; ++i) lines += "250-x\r\n";
  CHECK(read(lines + "250 end\r\n").ok());
  CHECK(read(lines + "250-x\r\n250 end\r\n").error().fault == base::Fault::protocol);
  std::string heavy;
  for (int i = 0; i < 40; ++i) heavy += "250-" + std::string(2000, 'x') + "\r\n";
  CHECK(read(heavy + "250 end\r\n").error().fault == base::Fault::protocol);
}

TEST_CASE("reply: a reply that ends early is a closed connection", "[transport]") {
  CHECK(read("250-half\r\n25").error().fault == base::Fault::unavailable);
  CHECK(read("").error().fault == base::Fault::unavailable);
}

TEST_CASE("reply: enhanced codes only in their form, and only of the code's class", "[transport]") {
  using transport::leading_status;
  CHECK(leading_status("5.7.3 text") == "5.7.3");
  CHECK(leading_status("5.7.139") == "5.7.139");
  CHECK(leading_status("4.4.1\tx") == "4.4.1");
  for (const std::string_view none : {"", "5", "5.7", "5.7.", "5..3 x", "3.1.1 x", "5.7.3x",
                                      "5.1234.1 x", "5.1.1234 x", "8BITMIME", "2.2"}) {
    INFO(none);
    CHECK(leading_status(none).empty());
  }
  const Reply odd = read("250 5.7.1 fine\r\n").value();
  CHECK(odd.status.empty());
  CHECK(odd.text == "5.7.1 fine");
}

TEST_CASE("reply: what a server offers, in any case and with the old AUTH=", "[transport]") {
  const Reply ehlo = read(
                         "250-here size starttls\r\n250-size 35882577\r\n250-8bitmime\r\n"
                         "250-AUTH=login plain\r\n250-AUTH XOAUTH2\r\n250-Pipelining\r\n"
                         "250-STARTTLSX\r\n250 SMTPUTF8\r\n")
                         .value();
  const transport::Capabilities offers = parse_capabilities(ehlo);
  CHECK(offers.size_limit == 35882577);
  CHECK(offers.eight_bit);
  CHECK(offers.pipelining);
  CHECK(offers.smtputf8);
  CHECK_FALSE(offers.starttls);
  CHECK_FALSE(offers.dsn);
  CHECK(offers.mechanisms == std::vector<std::string>{"LOGIN", "PLAIN", "XOAUTH2"});
}
