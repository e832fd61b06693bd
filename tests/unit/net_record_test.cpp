#include "net/record.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "catch.h"

using base::Deadline;
using net::Record;

namespace {

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    left.reset(ends[0]);
    right.reset(ends[1]);
  }
  base::Fd left;
  base::Fd right;
};

Deadline soon() {
  return Deadline::after_ms(2000);
}

base::Result<Record> received_from(std::string_view bytes) {
  Pair pair;
  REQUIRE(write(pair.left.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  pair.left.reset();
  return net::receive_record(pair.right.get(), soon());
}

std::string piece(std::string_view text) {
  std::string out(3, '\0');
  out += static_cast<char>(text.size());
  return out.append(text);
}

}  // namespace

TEST_CASE("record: verb and fields arrive as they were sent, any byte included", "[net]") {
  Pair pair;
  Record sent("token");
  const std::string odd("\0\n\xff x", 5);
  sent.put("url", "https://x/");
  sent.put("odd", odd);
  sent.put("empty", "");
  REQUIRE(net::send_record(pair.left.get(), sent, soon()).ok());
  auto got = net::receive_record(pair.right.get(), soon());
  REQUIRE(got.ok());
  CHECK(got->verb() == "token");
  CHECK(got->fields().size() == 3);
  CHECK(got->get("odd") == odd);
  CHECK(got->has("empty"));
  CHECK(got->get("absent").empty());
  CHECK_FALSE(got->attached.open());
}

TEST_CASE("record: numbers", "[net]") {
  Record record("x");
  record.put("n", "-42");
  record.put("word", "4x");
  CHECK(record.number("n", 7) == -42);
  CHECK(record.number("word", 7) == 7);
  CHECK(record.number("absent", 7) == 7);
  CHECK(record.take("n").reveal() == "-42");
  CHECK_FALSE(record.has("n"));
}

TEST_CASE("record: a descriptor travels with a record", "[net]") {
  Pair pair;
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  const base::Fd read_end(ends[0]);
  Record sent("reencode");
  sent.attached.reset(ends[1]);
  REQUIRE(net::send_record(pair.left.get(), sent, soon()).ok());
  auto got = net::receive_record(pair.right.get(), soon());
  REQUIRE(got.ok());
  REQUIRE(got->attached.open());
  CHECK(got->attached.get() != ends[1]);
  CHECK((fcntl(got->attached.get(), F_GETFD) & FD_CLOEXEC) != 0);
  REQUIRE(write(got->attached.get(), "hi", 2) == 2);
  std::array<char, 4> buffer{};
  CHECK(read(read_end.get(), buffer.data(), buffer.size()) == 2);
}

TEST_CASE("record: one larger than the socket's buffer passes, one over the limit does not",
          "[net]") {
  Pair pair;
  Record sent("big");
  sent.put("value", std::string(900000, 'v'));
  std::thread sender([&] { CHECK(net::send_record(pair.left.get(), sent, soon()).ok()); });
  auto got = net::receive_record(pair.right.get(), soon());
  sender.join();
  REQUIRE(got.ok());
  CHECK(got->get("value").size() == 900000);
  sent.put("more", std::string(200000, 'v'));
  CHECK(net::send_record(pair.left.get(), sent, soon()).error().fault == base::Fault::protocol);
}

TEST_CASE("record: an end in the middle is a helper that is gone", "[net]") {
  const std::string whole = std::string(3, '\0') + "\x0f" + piece("ab") + piece("c") + piece("");
  REQUIRE(received_from(whole).ok());
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CHECK(received_from(whole.substr(0, cut)).error().fault == base::Fault::unavailable);
  }
}

TEST_CASE("record: lengths that lie, too many fields and a huge record are refused", "[net]") {
  const auto framed = [](const std::string& body) {
    std::string out(2, '\0');
    out += static_cast<char>(body.size() >> 8);
    out += static_cast<char>(body.size() & 0xff);
    return out + body;
  };
  CHECK(received_from("\xff\xff\xff\xff").error().fault == base::Fault::protocol);
  CHECK(received_from(framed("")).error().fault == base::Fault::protocol);
  CHECK(received_from(framed("\xff\xff\xff\xffv")).error().fault == base::Fault::protocol);
  CHECK(received_from(framed(piece("v") + piece("name"))).error().fault == base::Fault::protocol);
  CHECK(received_from(framed(piece("v") + "ab")).error().fault == base::Fault::protocol);
  std::string many = piece("v");
  for (int i = 0; i < 513; ++i) many += piece("f" + std::to_string(i)) + piece("");
  CHECK(received_from(framed(many)).error().fault == base::Fault::protocol);
}

TEST_CASE("record: a silent helper costs the deadline and no more", "[net]") {
  Pair pair;
  const std::int64_t began = base::boot_ms();
  auto got = net::receive_record(pair.right.get(), Deadline::after_ms(100));
  CHECK(got.error().fault == base::Fault::unavailable);
  CHECK(base::boot_ms() - began >= 100);
  CHECK(base::boot_ms() - began < 1500);
}

TEST_CASE("record: a helper that drips bytes does not stretch the deadline (finding 13)", "[net]") {
  Pair pair;
  std::thread dripping([&] {
    for (int i = 0; i < 20; ++i) {
      if (write(pair.left.get(), "\0", 1) != 1) return;
      usleep(20000);
    }
  });
  const std::int64_t began = base::boot_ms();
  Record expected;
  CHECK_FALSE(net::receive_record(pair.right.get(), Deadline::after_ms(60)).ok());
  CHECK(base::boot_ms() - began < 300);
  pair.right.reset();
  dripping.join();
}

TEST_CASE("record: errors keep fault, class, words and delay on the way", "[net]") {
  base::Error error =
      base::failure(base::Fault::unavailable, "token endpoint answered 503", "wait");
  error.kind = base::FaultClass::hold;
  error.said = "busy";
  error.retry_after_s = 40;
  error.sys = 2;
  Record record("answer");
  net::put_error(record, error);
  REQUIRE(net::has_error(record));
  const base::Error back = net::get_error(record);
  CHECK(back.fault == error.fault);
  CHECK(back.kind == error.kind);
  CHECK(back.cause == error.cause);
  CHECK(back.cure == error.cure);
  CHECK(back.said == "busy");
  CHECK(back.retry_after_s == 40);
  CHECK(back.sys == 2);
  CHECK_FALSE(net::has_error(Record("token")));
  CHECK(net::get_error(Record("error")).fault == base::Fault::bug);
}
