#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <thread>

#include "base/file.h"
#include "catch.h"
#include "mail/message.h"
#include "mail/read.h"

using mail::Dots;

using namespace std::string_literals;

namespace {

// Bytes fed in pieces of `cut` bytes; 0: at once.
std::string normal(const std::string& raw, Dots dots = Dots::kept, std::size_t cut = 0) {
  base::Scratch bytes;
  mail::LineEnds lines(bytes, dots);
  if (cut == 0) cut = raw.size() + 1;
  for (std::size_t at = 0; at < raw.size(); at += cut) {
    REQUIRE(lines.feed(std::string_view(raw).substr(at, cut)).ok());
  }
  REQUIRE(lines.finish().ok());
  auto all = bytes.all(1 << 28);
  REQUIRE(all.ok());
  return *all;
}

void check(const std::string& raw, const std::string& wanted, Dots dots = Dots::kept) {
  for (const std::size_t cut : {0, 1, 2, 3}) {
    INFO(raw << " in pieces of " << cut);
    CHECK(normal(raw, dots, cut) == wanted);
  }
}

base::Fd file_of(const std::string& bytes) {
  auto file = base::temporary_file();
  REQUIRE(file.ok());
  REQUIRE(base::write_all(file->get(), bytes, "file").ok());
  REQUIRE(lseek(file->get(), 0, SEEK_SET) == 0);
  return std::move(*file);
}

std::string bytes_of(base::Result<base::Scratch> read) {
  REQUIRE(read.ok());
  return *read->all(1 << 28);
}

}  // namespace

TEST_CASE("read: R30 LF and CRLF, mixed, become CRLF", "[mail]") {
  check("To: a@x\r\nSubject: b\n\nbody\r\nline\n", "To: a@x\r\nSubject: b\r\n\r\nbody\r\nline\r\n");
  check("", "");
  check("\n", "\r\n");
  check("a\r\r\nb\r\r\r\n\r\r\nc", "a\r\nb\r\n\r\nc\r\n");
  check("\n\r\n", "\r\n\r\n");
}

TEST_CASE("read: R31 an unterminated last line is completed", "[mail]") {
  check("a", "a\r\n");
  check("a\r", "a\r\n");
  check("a\n\r", "a\r\n\r\n");
  check("a\r\r", "a\r\n");
}

TEST_CASE("read: A7 A8 a bare CR becomes a blank, everywhere", "[mail]") {
  check("a\rb\n\rc\n\r\rd\n", "a b\r\n c\r\n  d\r\n");
  check("a\r.\rb\n", "a . b\r\n");
  base::Scratch bytes;
  mail::LineEnds lines(bytes);
  REQUIRE(lines.feed("To: bob@x\rBcc: evil@x\nSubject: s\rBcc: evil@x\n\n").ok());
  REQUIRE(lines.finish().ok());
  const auto message = mail::split(std::move(bytes));
  REQUIRE(message.ok());
  CHECK(message->header.count("Bcc") == 0);
  CHECK(message->header.fields.size() == 2);
}

TEST_CASE("read: R32 C01-C07 a lone dot ends the message, of two dots one goes", "[mail]") {
  check("a\n.\nb\n", "a\r\n", Dots::rule);
  check("a\r\n.\r\nb\r\n", "a\r\n", Dots::rule);
  check("l1\n..\n...x\n.x\n.\n", "l1\r\n.\r\n..x\r\n.x\r\n", Dots::rule);
  check(".\na\n", "", Dots::rule);
  check("a\n.", "a\r\n", Dots::rule);
  check("a\n.\r", "a\r\n", Dots::rule);
  check("a\n..", "a\r\n.\r\n", Dots::rule);
  check("a\n. \nb\n", "a\r\n. \r\nb\r\n", Dots::rule);
  check("a\n.\rx\nb\n", "a\r\n. x\r\nb\r\n", Dots::rule);
  check("a\r.\rb\n", "a . b\r\n", Dots::rule);
  check("a.\n b..\n", "a.\r\n b..\r\n", Dots::rule);
  check("To: a@x\n.\nSubject: b\n", "To: a@x\r\n", Dots::rule);
}

TEST_CASE("read: R32 with -i dots are text", "[mail]") {
  check("a\n.\n..\n...x\n.", "a\r\n.\r\n..\r\n...x\r\n.\r\n");
}

TEST_CASE("read: any bytes in any cuts become the same clean lines", "[mail]") {
  std::mt19937 random(821);
  const std::string alphabet = "\r\n.a\r\n.\0\xFF "s;
  for (int round = 0; round < 30000; ++round) {
    std::string raw;
    const std::size_t count = random() % 40;
    for (std::size_t i = 0; i < count; ++i) raw += alphabet[random() % alphabet.size()];
    const Dots dots = round % 2 == 0 ? Dots::kept : Dots::rule;
    const std::string once = normal(raw, dots);
    REQUIRE(normal(raw, dots, 1 + random() % 5) == once);
    REQUIRE(normal(once) == once);
    for (std::size_t i = 0; i < once.size(); ++i) {
      if (once[i] == '\r') REQUIRE(once.substr(i, 2) == "\r\n");
      if (once[i] == '\n') REQUIRE((i > 0 && once[i - 1] == '\r'));
    }
    REQUIRE((once.empty() || once.ends_with("\r\n")));
  }
}

TEST_CASE("read: large texts pass through in pieces", "[mail]") {
  const std::string line(100000, 'a');
  CHECK(normal(line + "\n" + line) == line + "\r\n" + line + "\r\n");
  CHECK(normal(std::string(300000, '\r') + "x") == std::string(300000, ' ') + "x\r\n");
  CHECK(normal(std::string(300000, '\r') + "\n") == "\r\n");
  std::string dots;
  for (int i = 0; i < 100000; ++i) dots += "..\n";
  CHECK(normal(dots, Dots::rule).size() == 300000);
}

TEST_CASE("read: R2 a file is read from where it stands", "[mail]") {
  const base::Fd file = file_of("skipped\nTo: a@x\n\nbody");
  REQUIRE(lseek(file.get(), 8, SEEK_SET) == 8);
  CHECK(bytes_of(mail::read_message(file.get(), Dots::kept, 0)) == "To: a@x\r\n\r\nbody\r\n");
}

TEST_CASE("read: R2 a socket that does not block is waited for", "[mail]") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  base::Fd ours(ends[0]);
  std::thread writer([fd = ends[1]] {
    for (const char* piece : {"a\r", "\n.", "\nlate\n"}) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      (void)!write(fd, piece, std::char_traits<char>::length(piece));
    }
    close(fd);
  });
  CHECK(bytes_of(mail::read_message(ours.get(), Dots::rule, 0)) == "a\r\n");
  writer.join();
}

TEST_CASE("read: a signal in between changes nothing", "[mail]") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  base::Fd ours(ends[0]);
  struct sigaction quiet = {};
  struct sigaction before = {};
  quiet.sa_handler = [](int) {};
  REQUIRE(sigaction(SIGUSR1, &quiet, &before) == 0);
  std::thread writer([fd = ends[1], reader = pthread_self()] {
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      pthread_kill(reader, SIGUSR1);
      (void)!write(fd, "a\n", 2);
    }
    close(fd);
  });
  CHECK(bytes_of(mail::read_message(ours.get(), Dots::kept, 0)).size() == 15);
  writer.join();
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("read: standard input that cannot be read is an I/O error", "[mail]") {
  const base::Fd folder(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (const int fd : {-1, folder.get()}) {
    const auto read = mail::read_message(fd, Dots::kept, 0);
    REQUIRE(!read.ok());
    CHECK(read.error().fault == base::Fault::io);
    CHECK(read.error().cause.starts_with("cannot read standard input: "));
    CHECK(read.error().sys != 0);
  }
}

TEST_CASE("read: the limit is on the normal form", "[mail]") {
  const base::Fd fits = file_of("a\nb\n");
  CHECK(bytes_of(mail::read_message(fits.get(), Dots::kept, 6)).size() == 6);
  const base::Fd over = file_of("a\nb\n");
  const auto read = mail::read_message(over.get(), Dots::kept, 5);
  REQUIRE(!read.ok());
  CHECK(read.error().fault == base::Fault::bad_message);
  CHECK(read.error().cause == "message over 5 bytes");
}

TEST_CASE("read: R14 the writer is read to its end after an error and after a lone dot", "[mail]") {
  const std::string large = "a\n.\n" + std::string(500000, 'x');
  for (const Dots dots : {Dots::kept, Dots::rule}) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    base::Fd ours(ends[0]);
    bool written = false;
    std::thread writer([fd = ends[1], &large, &written] {
      written = base::write_all(fd, large, "pipe").ok();
      close(fd);
    });
    const auto read = mail::read_message(ours.get(), dots, 1000);
    ours.reset();
    writer.join();
    CHECK(written);
    CHECK(read.ok() == (dots == Dots::rule));
  }
}
