#include "transport/pace.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catch.h"

using transport::Pace;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/mailbearer-pace-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& end) const {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      const std::string name = entry.path().string();
      if (name.size() > end.size() && name.substr(name.size() - end.size()) == end) return name;
    }
    return {};
  }
  std::string path;
};

account::Account mailbox_of(const std::string& user = "me@corp.example") {
  account::Account out;
  out.transport = account::Transport::graph;
  out.graph_endpoint = "https://graph.example/v1.0";
  out.client_id = "app";
  out.user = user;
  return out;
}

}  // namespace

TEST_CASE("G1: so many turns at once, each free again when its holder is gone", "[transport]") {
  const Folder folder;
  const Pace pace(folder.path, mailbox_of());
  std::vector<base::Fd> held;
  for (int i = 0; i < 4; ++i) {
    base::Result<base::Fd> turn = Pace(folder.path, mailbox_of("ME@corp.example")).turn(4, 0);
    REQUIRE(turn);
    CHECK(turn->open());
    held.push_back(std::move(*turn));
  }
  const base::Result<base::Fd> fifth = pace.turn(4, 0);
  REQUIRE_FALSE(fifth);
  CHECK(fifth.error().fault == base::Fault::unavailable);
  CHECK(fifth.error().cause == "provider limit, 4 requests at once, all in use for 0 s");
  CHECK(Pace(folder.path, mailbox_of("other@corp.example")).turn(4, 0));
  held.pop_back();
  CHECK(pace.turn(4, 0));
}

TEST_CASE("G1: a turn that its process took along ends with it", "[transport]") {
  const Folder folder;
  const Pace pace(folder.path, mailbox_of());
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    base::Result<base::Fd> turn = Pace(folder.path, mailbox_of()).turn(1, 0);
    const char word = turn && turn->open() ? 'y' : 'n';
    if (write(ready[1], &word, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char word = 0;
  REQUIRE(read(ready[0], &word, 1) == 1);
  CHECK(word == 'y');
  CHECK_FALSE(pace.turn(1, 0));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK(pace.turn(1, 10'000));
  close(ready[0]);
  close(ready[1]);
}

TEST_CASE("G1: a pause holds for all, longer ones are told at once, shorter ones waited for",
          "[transport]") {
  const Folder folder;
  Pace(folder.path, mailbox_of()).pause(600, "provider asks for fewer requests (429)");
  const Pace pace(folder.path, mailbox_of());
  const base::Result<base::Fd> told = pace.turn(4, 120'000);
  REQUIRE_FALSE(told);
  CHECK(told.error().cause == "provider asks for fewer requests (429)");
  CHECK(told.error().retry_after_s > 595);
  CHECK(told.error().cure ==
        "try again after " + std::to_string(told.error().retry_after_s) + " s");
  CHECK(Pace(folder.path, mailbox_of("other@corp.example")).turn(4, 0));
  const std::int64_t since = base::wall_seconds();
  pace.pause(2, "soon");
  CHECK(pace.turn(4, 10'000));
  CHECK(base::wall_seconds() >= since + 2);
}

TEST_CASE("pace: what the file says is not believed blindly", "[transport]") {
  const Folder folder;
  const Pace pace(folder.path, mailbox_of());
  pace.pause(600, "one\ntwo\x1B");
  const std::string file = folder.file(".pause");
  REQUIRE_FALSE(file.empty());
  CHECK(pace.turn(4, 0).error().cause == "one\\x0atwo\\x1b");
  const std::int64_t now = base::wall_seconds();
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("1 2"), std::string(3000, '9'),
        std::to_string(now) + " " + std::to_string(now + 999'999) + " for ever\n",
        std::to_string(now + 9999) + " " + std::to_string(now + 10'000) + " from the future\n",
        std::to_string(now - 20) + " " + std::to_string(now - 10) + " over\n"}) {
    std::ofstream(file, std::ios::trunc) << text;
    INFO(text.substr(0, 40));
    CHECK(pace.turn(4, 0));
  }
}

TEST_CASE("pace: without a folder of our own nobody waits", "[transport]") {
  for (const char* folder : {"", "/nonexistent/run", "/tmp"}) {
    const Pace pace(folder, mailbox_of());
    pace.pause(600, "x");
    const base::Result<base::Fd> turn = pace.turn(0, 0);
    REQUIRE(turn);
    CHECK_FALSE(turn->open());
  }
}
