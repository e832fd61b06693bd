#include "submit/crowd.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "catch.h"
#include "net/stream.h"
#include "submit/hand_over.h"
#include "submit/peer.h"

namespace {

using base::Deadline;

// A crowd in a folder of its own, whose verdicts come from another thread, later.
class Served {
 public:
  explicit Served(submit::CrowdRules rules = {}, bool answers = true) {
    std::string folder = "/tmp/crowd-XXXXXX";
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    base::Result<base::Fd> listener = submit::listen_at(path(), 0600);
    REQUIRE(listener.ok());
    crowd_ = std::make_unique<submit::Crowd>(
        std::move(*listener), std::move(rules),
        [this, answers](submit::Crowd::Ticket ticket, mail::Submission submission, submit::Wishes) {
          last_uid = submission.peer.uid;
          ++messages;
          if (!answers) return;
          const std::lock_guard<std::mutex> lock(late_lock_);
          late_.emplace_back([this, ticket] { crowd_->answer(ticket, {}); });
        });
    thread_ = std::thread([this] { ended_well = crowd_->run().ok(); });
  }
  ~Served() {
    stop();
    const std::lock_guard<std::mutex> lock(late_lock_);
    for (std::thread& one : late_) one.join();
    unlink(path().c_str());
    rmdir(folder_.c_str());
  }
  void stop() {
    if (!thread_.joinable()) return;
    crowd_->stop();
    thread_.join();
  }
  std::string path() const { return folder_ + "/s"; }
  submit::Crowd& crowd() { return *crowd_; }

  std::atomic<int> messages = 0;
  std::atomic<uid_t> last_uid = 0;
  std::atomic<bool> ended_well = false;

 private:
  std::string folder_;
  std::unique_ptr<submit::Crowd> crowd_;
  std::thread thread_;
  std::mutex late_lock_;
  std::vector<std::thread> late_;
};

base::Fd call(const std::string& path) {
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  REQUIRE(connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return socket;
}

// Everything the agent says until it hangs up.
std::string hear_all(net::Stream& stream, std::int64_t ms = 20'000) {
  std::string heard;
  std::array<char, 4096> buffer{};
  const Deadline end = Deadline::after_ms(ms);
  for (;;) {
    base::Result<std::size_t> got = stream.read(buffer.data(), buffer.size(), end);
    if (!got || *got == 0) return heard;
    heard.append(buffer.data(), *got);
  }
}

const std::string one_message =
    "EHLO x\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nBDAT 12 LAST\r\nA: "
    "b\r\n\r\nhi\r\nQUIT\r\n";

std::string hand_one_over(const std::string& path) {
  net::FdStream stream(call(path));
  if (!stream.write(one_message, Deadline::after_ms(20'000)).ok()) return {};
  return hear_all(stream);
}

}  // namespace

TEST_CASE("crowd: a message is handed on with its peer, and its verdict comes back", "[submit]") {
  Served served;
  const std::string heard = hand_one_over(served.path());
  CHECK(heard.find("250 2.0.0 Ok: queued as ") != std::string::npos);
  CHECK(heard.find(" x=0\r\n") != std::string::npos);
  CHECK(heard.find("221 2.0.0 Bye\r\n") != std::string::npos);
  CHECK(served.messages == 1);
  CHECK(served.last_uid == geteuid());
  served.stop();
  CHECK(served.ended_well);
}

TEST_CASE("crowd: 1,000 callers at once, and nobody is turned away (C1)", "[submit]") {
  Served served;
  std::atomic<int> taken = 0;
  std::vector<std::thread> callers;
  callers.reserve(50);
  for (int t = 0; t < 50; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        if (hand_one_over(served.path()).find(" x=0\r\n") != std::string::npos) ++taken;
      }
    });
  }
  for (std::thread& one : callers) one.join();
  CHECK(taken == 1000);
  CHECK(served.messages == 1000);
}

TEST_CASE("crowd: who says nothing is let go, and holds nobody up", "[submit]") {
  submit::CrowdRules rules;
  rules.active_per_uid = 4;
  rules.idle_ms = 300;
  Served served(rules);
  std::vector<base::Fd> idlers;
  for (int i = 0; i < 40; ++i) idlers.push_back(call(served.path()));
  // All its places are taken by idlers of the same uid: the message waits for them to be closed.
  CHECK(hand_one_over(served.path()).find(" x=0\r\n") != std::string::npos);
  net::FdStream first(std::move(idlers.front()));
  CHECK(hear_all(first) == "220 localhost ESMTP Mailbearer\r\n");
}

TEST_CASE("crowd: over the limit of connections an idle one goes", "[submit]") {
  submit::CrowdRules rules;
  rules.connections = 10;
  Served served(rules);
  std::vector<base::Fd> idlers;
  for (int i = 0; i < 10; ++i) idlers.push_back(call(served.path()));
  CHECK(hand_one_over(served.path()).find(" x=0\r\n") != std::string::npos);
}

TEST_CASE("crowd: who waits for a place is greeted at once", "[submit]") {
  submit::CrowdRules rules;
  rules.active_per_uid = 1;
  Served served(rules, false);
  const base::Fd first = call(served.path());
  net::FdStream second(call(served.path()));
  net::LineReader lines(second, 1024);
  const base::Result<std::string> greeting = lines.line(Deadline::after_ms(3000));
  REQUIRE(greeting.ok());
  CHECK(greeting->starts_with("220 "));
}

TEST_CASE("crowd: when nobody can be let in it sleeps until somebody leaves", "[submit]") {
  submit::CrowdRules rules;
  rules.connections = 1;
  Served served(rules, false);
  {
    net::FdStream busy(call(served.path()));
    REQUIRE(busy.write("EHLO x\r\nMAIL FROM:<a@x.org>\r\n", Deadline::after_ms(3000)).ok());
    net::LineReader lines(busy, 1024);
    for (std::string line; !line.starts_with("250 2.1.0");) {
      base::Result<std::string> got = lines.line(Deadline::after_ms(3000));
      REQUIRE(got.ok());
      line = *got;
    }
    const base::Fd late = call(served.path());
    rusage before{};
    rusage after{};
    getrusage(RUSAGE_SELF, &before);
    // The wait is the measurement: what would the processor do in it?
    poll(nullptr, 0, 400);
    getrusage(RUSAGE_SELF, &after);
    const auto spent_us = [](const rusage& use) {
      return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1'000'000 + use.ru_utime.tv_usec +
             use.ru_stime.tv_usec;
    };
    CHECK(spent_us(after) - spent_us(before) < 150'000);
  }
  net::FdStream next(call(served.path()));
  net::LineReader lines(next, 1024);
  CHECK(lines.line(Deadline::after_ms(5000)).ok());
}

TEST_CASE("crowd: recipients without end cost their own session", "[submit]") {
  submit::CrowdRules rules;
  rules.envelope_bytes = 100'000;
  Served served(rules);
  net::FdStream greedy(call(served.path()));
  std::string flood = "MAIL FROM:<a@x.org>\r\n";
  for (int i = 0; i < 5000; ++i) flood += "RCPT TO:<r" + std::to_string(i) + "@x.org>\r\n";
  // It may be hung up on before it has said all.
  (void)greedy.write(flood, Deadline::after_ms(5000)).ok();
  CHECK(hand_one_over(served.path()).find(" x=0\r\n") != std::string::npos);
  const std::string heard = hear_all(greedy, 5000);
  CHECK(heard.size() < std::size_t{5000} * 14);
}

TEST_CASE("crowd: the end of a connection inside the data commits nothing (Q1)", "[submit]") {
  Served served;
  {
    net::FdStream stream(call(served.path()));
    const std::string half = one_message.substr(0, one_message.size() - 10);
    REQUIRE(stream.write(half, Deadline::after_ms(5000)).ok());
  }
  CHECK(hand_one_over(served.path()).find(" x=0\r\n") != std::string::npos);
  CHECK(served.messages == 1);
}

TEST_CASE("crowd: a caller who leaves before the verdict stops nobody", "[submit]") {
  Served served({}, false);
  {
    net::FdStream stream(call(served.path()));
    REQUIRE(stream.write(one_message, Deadline::after_ms(5000)).ok());
    while (served.messages == 0) std::this_thread::yield();
  }
  served.crowd().answer(3, {});    // the first guest, gone by now
  served.crowd().answer(777, {});  // and one that never was
  net::FdStream other(call(served.path()));
  REQUIRE(other.write("NOOP\r\nQUIT\r\n", Deadline::after_ms(5000)).ok());
  CHECK(hear_all(other).find("221 2.0.0 Bye") != std::string::npos);
}

TEST_CASE("crowd: stop waits for the verdicts that are due", "[submit]") {
  Served served({}, false);
  net::FdStream stream(call(served.path()));
  REQUIRE(stream.write(one_message, Deadline::after_ms(5000)).ok());
  while (served.messages == 0) std::this_thread::yield();
  std::thread late([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    served.crowd().answer(3, {69, "not sent: later", true});
  });
  served.stop();
  late.join();
  CHECK(hear_all(stream).find("451 4.3.0 not sent: later x=69\r\n") != std::string::npos);
}

TEST_CASE("crowd: lines of the dialogue leave before the verdict", "[submit]") {
  Served served({}, false);
  net::FdStream stream(call(served.path()));
  std::string traced = one_message;
  traced.replace(traced.find("a@x.org>"), 8, "a@x.org> X-TRACE");
  REQUIRE(stream.write(traced, Deadline::after_ms(5000)).ok());
  while (served.messages == 0) std::this_thread::yield();
  served.crowd().trace(3, "EHLO there");
  served.crowd().answer(3, {});
  const std::string heard = hear_all(stream);
  CHECK(heard.find("150 EHLO there\r\n250 2.0.0 Ok: queued") != std::string::npos);
}

TEST_CASE("listen: a living agent keeps its socket, a dead one's is replaced", "[submit]") {
  std::string folder = "/tmp/listen-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/s";
  {
    const base::Result<base::Fd> first = submit::listen_at(path, 0666);
    REQUIRE(first.ok());
    struct stat made {};
    REQUIRE(stat(path.c_str(), &made) == 0);
    CHECK((made.st_mode & 0777) == 0666);
    const base::Result<base::Fd> second = submit::listen_at(path, 0666);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().cause.find("another agent serves") != std::string::npos);
  }
  CHECK(submit::listen_at(path, 0600).ok());
  unlink(path.c_str());
  REQUIRE(mkdir(path.c_str(), 0700) == 0);
  CHECK_FALSE(submit::listen_at(path, 0600).ok());
  rmdir(path.c_str());
  rmdir(folder.c_str());
  CHECK(submit::judge_peer_credentials().ok());
}
