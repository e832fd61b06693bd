#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/clock.h"
#include "base/process.h"
#include "base/scratch.h"
#include "catch.h"

namespace {
bool folders_cannot_be_synced = false;
}

// In the place of the C library's: the disk that fails.
int fsync(int fd) {
  struct stat facts {};
  if (folders_cannot_be_synced && fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fsync, fd));
}

namespace {

// A private folder, gone at the end.
class Folder {
 public:
  Folder() {
    std::array<char, 32> name{"/tmp/mailbearer-test-XXXXXX"};
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name.data();
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void put(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

std::string content(const std::string& path) {
  base::Fd fd(open(path.c_str(), O_RDONLY));
  return *base::read_all(fd.get(), 1 << 20, path);
}

}  // namespace

TEST_CASE("file: one that others may write is refused, and named", "[base]") {
  Folder folder;
  const std::string path = folder / "conf";
  put(path, "x", 0644);
  CHECK(base::open_trusted(path).ok());
  for (const mode_t mode : {0664, 0646, 0666}) {
    REQUIRE(chmod(path.c_str(), mode) == 0);
    base::Result<base::Fd> opened = base::open_trusted(path);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().fault == base::Fault::config);
    CHECK(opened.error().cause.find(path) != std::string::npos);
    CHECK_FALSE(opened.error().cure.empty());
  }
}

TEST_CASE("file: a folder above that others may write is refused; the sticky /tmp above is not",
          "[base]") {
  Folder folder;
  REQUIRE(mkdir((folder / "open").c_str(), 0700) == 0);
  put(folder / "open/conf", "x", 0600);
  CHECK(base::open_trusted(folder / "open/conf").ok());
  REQUIRE(chmod((folder / "open").c_str(), 0777) == 0);
  CHECK_FALSE(base::open_trusted(folder / "open/conf").ok());
}

TEST_CASE("file: a symlink is followed and what it leads to is judged", "[base]") {
  Folder folder;
  REQUIRE(mkdir((folder / "open").c_str(), 0700) == 0);
  put(folder / "open/secret", "x", 0600);
  REQUIRE(symlink((folder / "open/secret").c_str(), (folder / "link").c_str()) == 0);
  CHECK(base::open_trusted(folder / "link").ok());
  REQUIRE(chmod((folder / "open").c_str(), 0777) == 0);
  CHECK_FALSE(base::open_trusted(folder / "link").ok());
}

TEST_CASE("file: what is no regular file is refused without hanging", "[base]") {
  Folder folder;
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK_FALSE(base::open_trusted(folder / "fifo").ok());
  CHECK_FALSE(base::open_trusted(folder.path()).ok());
  base::Result<base::Fd> missing = base::open_trusted(folder / "none");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().sys == ENOENT);
}

TEST_CASE("file: private means that nobody else may read it", "[base]") {
  Folder folder;
  put(folder / "key", "x", 0640);
  CHECK(base::open_trusted(folder / "key").ok());
  CHECK_FALSE(base::open_trusted(folder / "key", true).ok());
}

TEST_CASE("file: another user's file is refused", "[base]") {
  if (geteuid() != 0) return;  // only root can make one; CI is root
  Folder folder;
  put(folder / "theirs", "x", 0600);
  REQUIRE(chown((folder / "theirs").c_str(), 12345, 12345) == 0);
  CHECK_FALSE(base::open_trusted(folder / "theirs").ok());
}

TEST_CASE("file: replacing is all or nothing, with the mode asked for", "[base]") {
  Folder folder;
  const std::string path = folder / "state";
  umask(0);
  REQUIRE(base::replace_file(path, "one", 0600).ok());
  REQUIRE(base::replace_file(path, "two", 0600).ok());
  CHECK(content(path) == "two");
  struct stat facts {};
  REQUIRE(stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  REQUIRE(mkdir((folder / "folder").c_str(), 0700) == 0);
  CHECK_FALSE(base::replace_file(folder / "folder", "x", 0600).ok());
  int names = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    ++names;
    CHECK(entry.path().string().find(".tmp") == std::string::npos);
  }
  CHECK(names == 2);
  umask(022);
}

TEST_CASE("file: a folder that cannot be synced is an error that says what stands", "[base]") {
  Folder folder;
  const std::string path = folder / "state";
  REQUIRE(base::replace_file(path, "one", 0600).ok());
  folders_cannot_be_synced = true;
  const base::Done replaced = base::replace_file(path, "two", 0600);
  folders_cannot_be_synced = false;
  REQUIRE_FALSE(replaced.ok());
  CHECK(replaced.error().fault == base::Fault::io);
  CHECK(replaced.error().sys == EIO);
  CHECK(replaced.error().cause.rfind(path + " is replaced, but not known to last", 0) == 0);
  CHECK(content(path) == "two");
}

TEST_CASE("file: a lock keeps a second process out until it is dropped", "[base]") {
  Folder folder;
  base::Result<base::Fd> first = base::lock_file(folder / "lock", 0);
  REQUIRE(first.ok());
  base::Result<base::Fd> second = base::lock_file(folder / "lock", 20);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().fault == base::Fault::unavailable);
  first->reset();
  CHECK(base::lock_file(folder / "lock", 0).ok());
}

TEST_CASE("file: reading is bounded", "[base]") {
  Folder folder;
  put(folder / "big", std::string(1000, 'x'), 0600);
  base::Fd fd(open((folder / "big").c_str(), O_RDONLY));
  CHECK_FALSE(base::read_all(fd.get(), 999, "big").ok());
}

TEST_CASE("scratch: small in memory, large in a file that has no name", "[base]") {
  base::Scratch scratch;
  REQUIRE(scratch.append(std::string(70'000, 'a')).ok());
  REQUIRE(scratch.append("end").ok());
  CHECK(scratch.size_bytes() == 70'003);
  std::array<char, 8> tail{};
  base::Result<std::size_t> got = scratch.read_at(70'000, tail.data(), tail.size());
  REQUIRE(got.ok());
  CHECK(std::string(tail.data(), *got) == "end");
  base::Result<int> lent = scratch.lend_fd();
  REQUIRE(lent.ok());
  struct stat facts {};
  REQUIRE(fstat(*lent, &facts) == 0);
  CHECK(facts.st_nlink == 0);
  std::size_t seen = 0;
  REQUIRE(scratch
              .each_piece(1,
                          [&seen](std::string_view piece) {
                            seen += piece.size();
                            CHECK(piece.size() <= 65'536);
                            return base::done();
                          })
              .ok());
  CHECK(seen == 70'002);
  CHECK_FALSE(scratch.all(100).ok());
}

TEST_CASE("scratch: lending moves memory into a file and keeps the bytes", "[base]") {
  base::Scratch scratch;
  REQUIRE(scratch.append("hello").ok());
  base::Result<int> lent = scratch.lend_fd();
  REQUIRE(lent.ok());
  base::Result<base::Scratch> other = base::Scratch::adopt(base::Fd(dup(*lent)));
  REQUIRE(other.ok());
  CHECK(*other->all(10) == "hello");
  CHECK(*scratch.all(10) == "hello");
}

TEST_CASE(
    "process: R3 a child gets its socket, no other descriptor, and only the environment named",
    "[base]") {
  Folder folder;
  const int leak = open("/dev/null", O_RDONLY);  // no O_CLOEXEC, as an inherited one would be
  base::Result<base::Child> child =
      base::start_child({"/bin/sh", "-c", "read x; ls /proc/self/fd >&0; env >&0"}, {"ONLY=this"});
  REQUIRE(child.ok());
  REQUIRE(write(child->channel.get(), "go\n", 3) == 3);
  std::string heard;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = read(child->channel.get(), buffer.data(), buffer.size())) > 0) {
    heard.append(buffer.data(), static_cast<std::size_t>(got));
  }
  CHECK(WEXITSTATUS(base::reap_child(child->pid, base::Deadline::after_ms(5000))) == 0);
  CHECK(heard.starts_with("0\n1\n2\n3\n"));  // 3 is the folder that ls itself reads
  CHECK(heard.find("\n" + std::to_string(leak) + "\n") == (leak == 3 ? 5U : std::string::npos));
  CHECK(heard.find("ONLY=this") != std::string::npos);
  CHECK(heard.find("HOME=") == std::string::npos);
  close(leak);
}

TEST_CASE("process: a child that does not end is killed at the deadline", "[base]") {
  base::Result<base::Child> child = base::start_child({"/bin/sleep", "100"}, {});
  REQUIRE(child.ok());
  const int status = base::reap_child(child->pid, base::Deadline::after_ms(50));
  CHECK(WIFSIGNALED(status));
}

TEST_CASE("file: a sound folder is not judged again for a second, and then it is", "[base]") {
  Folder folder;
  REQUIRE(mkdir((folder / "in").c_str(), 0755) == 0);
  put(folder / "in/f", "x", 0600);
  const auto judged = [&] { return base::judge_folder(folder / "in").ok(); };
  const auto opened = [&] { return base::open_trusted(folder / "in/f").ok(); };
  {
    const base::FoldersOnce once;
    REQUIRE(opened());
    REQUIRE(chmod((folder / "in").c_str(), 0777) == 0);
    CHECK(opened());
    CHECK(judged());
    usleep(1'050'000);
    CHECK(!opened());
    CHECK(!judged());
    CHECK(!judged());  // what is not sound is never remembered
    REQUIRE(chmod((folder / "in").c_str(), 0755) == 0);
    CHECK(opened());
    REQUIRE(chmod((folder / "in").c_str(), 0777) == 0);
  }
  CHECK(!opened());  // nor is anything beyond its life
  CHECK(!judged());
}

TEST_CASE("file: the file itself is judged each time", "[base]") {
  Folder folder;
  put(folder / "f", "x", 0600);
  const base::FoldersOnce once;
  REQUIRE(base::open_trusted(folder / "f").ok());
  REQUIRE(chmod((folder / "f").c_str(), 0666) == 0);
  CHECK(!base::open_trusted(folder / "f").ok());
}

TEST_CASE("process: a program that cannot be run is told at once, with the reason", "[base]") {
  Folder folder;
  put(folder / "plain", "no program", 0644);
  base::Result<base::Child> missing = base::start_child({folder / "missing"}, {});
  REQUIRE(!missing.ok());
  CHECK(missing.error().fault == base::Fault::os);
  CHECK(missing.error().sys == ENOENT);
  base::Result<base::Child> plain = base::start_child({folder / "plain"}, {});
  REQUIRE(!plain.ok());
  CHECK(plain.error().sys == EACCES);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);  // and leaves no child behind
  CHECK(errno == ECHILD);
}
