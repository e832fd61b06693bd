#include "net/stream.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "catch.h"

using base::Deadline;
using base::Fd;
using net::FdStream;
using net::LineReader;

namespace {

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    ours = Fd(ends[0]);
    theirs = Fd(ends[1]);
  }
  void say(const std::string& bytes) {
    REQUIRE(write(theirs.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  Fd ours;
  Fd theirs;
};

Deadline soon() {
  return Deadline::after_ms(5'000);
}

}  // namespace

TEST_CASE("stream: bytes go through, and an end is 0", "[net]") {
  Pair pair;
  FdStream stream(std::move(pair.ours));
  pair.say("abc");
  std::array<char, 10> into{};
  CHECK(stream.read(into.data(), into.size(), soon()).value() == 3);
  CHECK(stream.write("xyz", soon()).ok());
  CHECK(::read(pair.theirs.get(), into.data(), into.size()) == 3);
  pair.theirs.reset();
  CHECK(stream.read(into.data(), into.size(), soon()).value() == 0);
}

TEST_CASE("stream: a silent peer is given up at the deadline", "[net]") {
  Pair pair;
  FdStream stream(std::move(pair.ours));
  std::array<char, 10> into{};
  const std::int64_t before = base::boot_ms();
  const auto got = stream.read(into.data(), into.size(), Deadline::after_ms(100));
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().cause == "timed out");
  CHECK(got.error().sys == ETIMEDOUT);
  CHECK(base::boot_ms() - before >= 100);
}

TEST_CASE("stream: a peer that does not read is given up at the deadline", "[net]") {
  Pair pair;
  FdStream stream(std::move(pair.ours));
  const base::Done put = stream.write(std::string(8'000'000, 'x'), Deadline::after_ms(100));
  REQUIRE_FALSE(put.ok());
  CHECK(put.error().sys == ETIMEDOUT);
}

TEST_CASE("stream: a large write survives a slow reader", "[net]") {
  Pair pair;
  FdStream stream(std::move(pair.ours));
  std::size_t total = 0;
  std::thread reader([&] {
    std::array<char, 4096> into;
    for (;;) {
      const ssize_t got = ::read(pair.theirs.get(), into.data(), into.size());
      if (got <= 0) return;
      total += static_cast<std::size_t>(got);
    }
  });
  CHECK(stream.write(std::string(3'000'000, 'x'), soon()).ok());
  stream.take_socket().reset();
  reader.join();
  CHECK(total == 3'000'000);
}

TEST_CASE("stream: a peer that is gone is an error and no signal", "[net]") {
  signal(SIGPIPE, SIG_DFL);
  Pair pair;
  FdStream stream(std::move(pair.ours));
  pair.theirs.reset();
  const base::Done put = stream.write("x", soon());
  signal(SIGPIPE, SIG_IGN);
  REQUIRE_FALSE(put.ok());
  CHECK(put.error().fault == base::Fault::unavailable);
  CHECK(put.error().cause == "connection closed");
}

TEST_CASE("stream: input is seen without being taken, and an end is one", "[net]") {
  Pair pair;
  FdStream stream(std::move(pair.ours));
  LineReader reader(stream, 100);
  CHECK_FALSE(stream.has_input().value());
  CHECK_FALSE(reader.has_input().value());
  pair.say("one\ntwo\n");
  CHECK(stream.has_input().value());
  CHECK(reader.line(soon()).value() == "one");
  CHECK_FALSE(stream.has_input().value());
  CHECK(reader.has_input().value());
  CHECK(reader.line(soon()).value() == "two");
  CHECK_FALSE(reader.has_input().value());
  pair.theirs.reset();
  CHECK(reader.has_input().value());
  CHECK_FALSE(LineReader(100).has_input().ok());
}

TEST_CASE("stream: two pipes are a stream", "[net]") {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  REQUIRE(pipe(in.data()) == 0);
  REQUIRE(pipe(out.data()) == 0);
  const Fd feed(in[1]);
  const Fd drain(out[0]);
  FdStream stream{Fd(in[0]), Fd(out[1])};
  REQUIRE(write(feed.get(), "in", 2) == 2);
  std::array<char, 8> into{};
  CHECK(stream.read(into.data(), into.size(), soon()).value() == 2);
  CHECK(stream.write("out", soon()).ok());
  CHECK(::read(drain.get(), into.data(), into.size()) == 3);
}

TEST_CASE("stream: one descriptor for both ends is closed once", "[net]") {
  Pair pair;
  const int number = pair.ours.get();
  {
    Fd read_end = std::move(pair.ours);
    FdStream stream(std::move(read_end), Fd(number));
    CHECK(stream.write("x", soon()).ok());
  }
  CHECK(fcntl(number, F_GETFD) == -1);
}

TEST_CASE("line: ends in LF or CRLF, whatever the pieces", "[net]") {
  Pair pair;
  FdStream stream(std::move(pair.ours));
  LineReader reader(stream, 100);
  pair.say("one\r\ntwo\nth");
  CHECK(reader.line(soon()).value() == "one");
  CHECK(reader.line(soon()).value() == "two");
  CHECK(reader.holds_more());
  pair.say("ree\r\n\r\nmore");
  CHECK(reader.line(soon()).value() == "three");
  CHECK(reader.line(soon()).value().empty());
  std::array<char, 10> into{};
  CHECK(reader.read(into.data(), 2, soon()).value() == 2);
  CHECK(reader.read(into.data(), into.size(), soon()).value() == 2);
  CHECK_FALSE(reader.holds_more());
}

TEST_CASE("line: the limit is exact, with and without an end in sight", "[net]") {
  for (const std::string end : {"\n", "\r\n"}) {
    Pair pair;
    FdStream stream(std::move(pair.ours));
    LineReader reader(stream, 8);
    pair.say("12345678" + end + "123456789" + end);
    CHECK(reader.line(soon()).value() == "12345678");
    CHECK(reader.line(soon()).error().fault == base::Fault::protocol);
  }
  Pair pair;
  FdStream stream(std::move(pair.ours));
  LineReader reader(stream, 8);
  pair.say("1234567890");
  CHECK(reader.line(soon()).error().fault == base::Fault::protocol);
}

TEST_CASE("line: finding 13: an octet now and then does not move the deadline", "[net]") {
  Pair pair;
  FdStream stream(std::move(pair.ours));
  LineReader reader(stream, 2048);
  std::thread slow([&] {
    for (int i = 0; i < 100; ++i) {
      if (send(pair.theirs.get(), "2", 1, MSG_NOSIGNAL) != 1) return;
      usleep(10'000);
    }
  });
  const std::int64_t before = base::boot_ms();
  const auto got = reader.line(Deadline::after_ms(200));
  CHECK(base::boot_ms() - before < 800);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().sys == ETIMEDOUT);
  stream.take_socket().reset();
  slow.join();
}

TEST_CASE("line: an end in the middle of a line, forgetting, and no stream", "[net]") {
  Pair pair;
  FdStream stream(std::move(pair.ours));
  LineReader reader(stream, 100);
  pair.say("a\nhalf");
  pair.theirs.reset();
  CHECK(reader.line(soon()).value() == "a");
  CHECK(reader.line(soon()).error().cause == "connection closed");
  reader.forget();
  CHECK_FALSE(reader.holds_more());
  LineReader nowhere(100);
  CHECK(nowhere.line(soon()).error().fault == base::Fault::bug);
}
