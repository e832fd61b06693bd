#include "queue/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "catch.h"
#include "queue/frame.h"
#include "queue/notes.h"
#include "queue/pack.h"
#include "queue_stand.h"

using namespace queue_stand;
using queue::Birth;
using queue::Spool;

namespace {

Birth birth_of(const mail::Submission& submission) {
  Birth birth;
  birth.id = submission.id;
  birth.account = "work";
  birth.uid = submission.peer.uid;
  birth.at_ms = begin_ms;
  return birth;
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  REQUIRE(chmod(path.c_str(), 0600) == 0);
}

struct Scanned {
  Spool::Scan scan{};
  std::vector<queue::Glance> glances{};
};
Scanned scan(const Spool& spool) {
  Scanned out;
  out.scan = *spool.scan([&](queue::Glance glance) { out.glances.push_back(std::move(glance)); },
                         [](const std::string&, const base::Error&) {});
  return out;
}

// A message with every kind of note.
std::string noted_file(const Folder& folder, const Spool& spool, std::string& id) {
  const mail::Submission message =
      submission({"ann@x.example", "bob@x.example"}, "me@corp.example");
  id = message.id;
  REQUIRE(spool.commit(message, birth_of(message)).ok());
  queue::Stored stored = std::move(*spool.load(id));
  queue::Resolution resolution;
  resolution.account = "work";
  resolution.envelope = message.envelope;
  resolution.envelope.known.clear();
  resolution.header = message.message.header.text();
  REQUIRE(Spool::add_note(stored, queue::note_resolution(stored.progress, resolution)).ok());
  REQUIRE(
      Spool::add_note(stored, queue::note_try(stored.progress, begin_ms + 1, {0, 1}), 1000).ok());
  queue::Verdicts verdicts;
  verdicts.at_ms = begin_ms + 2;
  verdicts.next_ms = begin_ms + 60'000;
  verdicts.failures = 1;
  verdicts.each = {{0, queue::State::delivered, {}},
                   {1, queue::State::refused, fate(base::Fate::State::refused, "550 no").error}};
  REQUIRE(Spool::add_note(stored, queue::note_verdicts(stored.progress, verdicts)).ok());
  REQUIRE(Spool::add_note(stored, queue::note_warned(stored.progress)).ok());
  REQUIRE(Spool::add_note(stored, queue::note_told(stored.progress, {1})).ok());
  REQUIRE(Spool::add_note(
              stored,
              queue::note_hold(stored.progress, {begin_ms + 3, 0, queue::Hold::person, "by hand"}))
              .ok());
  return content(folder / ("spool/messages/" + id));
}

}  // namespace

TEST_CASE("CRC-32C is the one of RFC 3720") {
  CHECK(queue::crc32c("123456789") == 0xE3069283);
  CHECK(queue::crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(queue::crc32c("6789", queue::crc32c("12345")) == 0xE3069283);
}

TEST_CASE("what was committed is read back, byte for byte") {
  const Folder folder;
  Spool spool = std::move(*Spool::open(folder / "spool"));
  const std::size_t size = GENERATE(0, 10, 5000, 200'000);
  std::string body(size, 'x');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 26);
  const mail::Submission message = submission({"ann@x.example"}, "me@corp.example", body);
  REQUIRE(*spool.commit(message, birth_of(message)) == Spool::Committed::anew);
  CHECK(*spool.commit(message, birth_of(message)) == Spool::Committed::repeated);
  Birth stranger = birth_of(message);
  stranger.uid = 7;
  CHECK(spool.commit(message, stranger).error().fault == base::Fault::not_permitted);
  const queue::Stored stored = std::move(*spool.load(message.id));
  base::Result<mail::Submission> again = Spool::submission(stored);
  REQUIRE(again.ok());
  CHECK(again->message.header.text() == message.message.header.text());
  CHECK(again->message.body_bytes() == message.message.body_bytes());
  CHECK(*again->message.bytes.all(1 << 20) == *message.message.bytes.all(1 << 20));
  CHECK(again->envelope.recipients.at(0).mailbox.text() == "ann@x.example");
  CHECK(again->peer.uid == 1000);
  CHECK(again->at == message.at);
  CHECK(*mail::twin_of(*again)->message.bytes.all(1 << 20) == *message.message.bytes.all(1 << 20));
  // What is lent to the helper is the message alone.
  const int lent = *again->message.bytes.lend_fd();
  struct stat facts {};
  REQUIRE(fstat(lent, &facts) == 0);
  CHECK(static_cast<std::uint64_t>(facts.st_size) == again->message.bytes.size_bytes());
  CHECK(*again->message.bytes.all(1 << 20) == *message.message.bytes.all(1 << 20));
  struct stat file {};
  REQUIRE(stat((folder / ("spool/messages/" + message.id)).c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  CHECK(folder.files("spool/new") == 0);
}

TEST_CASE("notes are read back") {
  const Folder folder;
  Spool spool = std::move(*Spool::open(folder / "spool"));
  std::string id;
  noted_file(folder, spool, id);
  const queue::Stored stored = std::move(*spool.load(id));
  CHECK(stored.progress.resolution->account == "work");
  CHECK(stored.progress.recipients[0].state == queue::State::delivered);
  CHECK(stored.progress.recipients[1].state == queue::State::refused);
  CHECK(stored.progress.recipients[1].told);
  CHECK(stored.progress.reply_to(1)->said == "550 no");
  CHECK(stored.progress.warned);
  CHECK(stored.progress.hold == queue::Hold::person);
  CHECK(stored.progress.attempts == 1);
  CHECK(scan(spool).glances.at(0).progress.hold == queue::Hold::person);
}

TEST_CASE("cut at every byte: a note that was cut is as if not written, anything else is damaged") {
  const Folder folder;
  Spool spool = std::move(*Spool::open(folder / "spool"));
  std::string id;
  const std::string whole = noted_file(folder, spool, id);
  const std::uint64_t notes = spool.load(id)->places.notes;
  const std::string path = folder / ("spool/messages/" + id);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put(path, whole.substr(0, size));
    const base::Result<queue::Stored> stored = spool.load(id);
    INFO("cut at " << size << " of " << whole.size());
    CHECK(stored.ok() == (size >= notes));
    if (stored) CHECK(stored->end <= size);
  }
  // The next note stands where the cut one began.
  put(path, whole.substr(0, whole.size() - 3));
  queue::Stored stored = std::move(*spool.load(id));
  CHECK(stored.progress.hold == queue::Hold::none);
  REQUIRE(Spool::add_note(stored, queue::note_warned(stored.progress)).ok());
  CHECK(spool.load(id).ok());
  // Zeros at the end, as after a power cut.
  put(path, whole + std::string(100, '\0'));
  CHECK(spool.load(id)->end == whole.size());
  put(path, whole + std::string(10, '\0'));
  CHECK(spool.load(id)->end == whole.size());
}

TEST_CASE("flipped at every byte: damaged, and never sent") {
  const Folder folder;
  Spool spool = std::move(*Spool::open(folder / "spool"));
  std::string id;
  const std::string whole = noted_file(folder, spool, id);
  const std::string path = folder / ("spool/messages/" + id);
  std::size_t taken = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int bit : {0, 7}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      put(path, changed);
      base::Result<queue::Stored> stored = spool.load(id);
      if (stored && Spool::submission(*stored).ok()) ++taken;
    }
  }
  CHECK(taken == 0);
}

TEST_CASE("whatever lies in the spool: it is moved aside, told, and the others go on") {
  const Folder folder;
  Spool spool = std::move(*Spool::open(folder / "spool"));
  const mail::Submission message = submission({"ann@x.example"}, "me@corp.example");
  REQUIRE(spool.commit(message, birth_of(message)).ok());
  const std::string messages = folder / "spool/messages/";
  const std::string good = content(messages + message.id);
  put(messages + "junk", "x");
  put(messages + std::string("a\nb"), "x");
  put(messages + std::string(32, '0'), good);  // another's name
  put(messages + std::string(32, '1'), "");
  put(messages + std::string(32, '2'), queue::frame_head("HEAD", UINT64_MAX) + "xxxx");
  REQUIRE(mkfifo((messages + std::string(32, '3')).c_str(), 0600) == 0);
  REQUIRE(symlink("/etc/passwd", (messages + std::string(32, '4')).c_str()) == 0);
  REQUIRE(mkdir((messages + std::string(32, '5')).c_str(), 0700) == 0);
  put(messages + std::string(32, '6'), good);
  REQUIRE(chmod((messages + std::string(32, '6')).c_str(), 0666) == 0);
  const std::string newer = queue::frame("HEAD", queue::Pack().u8(2).text("?").bytes());
  put(messages + std::string(32, '7'), newer);
  const Scanned scanned = scan(spool);
  CHECK(scanned.scan.messages == 1);
  CHECK(scanned.scan.damaged == 9);
  CHECK(scanned.scan.newer == 1);
  CHECK(folder.files("spool/messages") == 2);
  CHECK(folder.files("spool/damaged") == 9);
  CHECK(scanned.glances.at(0).birth.id == message.id);
}

TEST_CASE("a folder that others may enter is refused, and so is a second agent") {
  const Folder folder;
  {
    const Spool spool = std::move(*Spool::open(folder / "spool"));
    CHECK(Spool::open(folder / "spool").error().fault == base::Fault::config);
  }
  REQUIRE(chmod((folder / "spool").c_str(), 0755) == 0);
  CHECK(Spool::open(folder / "spool").error().fault == base::Fault::config);
}

TEST_CASE("debris goes after 36 h, not before, and never from under its writer") {
  const Folder folder;
  const Spool spool = std::move(*Spool::open(folder / "spool"));
  for (const char* name : {"old", "locked", "young"})
    put(folder / ("spool/new/" + std::string(name)), "x");
  const timespec long_ago[2] = {{1'000'000, 0}, {1'000'000, 0}};
  REQUIRE(utimensat(AT_FDCWD, (folder / "spool/new/old").c_str(), long_ago, 0) == 0);
  REQUIRE(utimensat(AT_FDCWD, (folder / "spool/new/locked").c_str(), long_ago, 0) == 0);
  const base::Fd writer = std::move(*base::lock_file(folder / "spool/new/locked", 0));
  CHECK(spool.remove_debris() == 1);
  CHECK(folder.files("spool/new") == 2);
}

TEST_CASE("many writers share the syncs of the folder") {
  const Folder folder;
  const Spool spool = std::move(*Spool::open(folder / "spool"));
  constexpr int writers = 16;
  constexpr int each = 20;
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < writers; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        const mail::Submission message = submission({"ann@x.example"}, "me@corp.example");
        if (spool.commit(message, birth_of(message)).ok()) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == writers * each);
  CHECK(spool.folder_syncs() < writers * each);
  CHECK(scan(spool).scan.messages == writers * each);
}
