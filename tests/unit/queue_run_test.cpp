#include "queue/run.h"

#include <atomic>
#include <map>
#include <thread>

#include "catch.h"
#include "mail/prepare.h"
#include "queue_stand.h"

using namespace queue_stand;
using FateIs = base::Fate::State;
using queue::Event;
using queue::Settled;

namespace {

// A queue whose clock the test moves.
class Stand {
 public:
  Stand() { reopen(); }
  void reopen() {
    queue.reset();
    queue::Options options;
    options.folder = folder / "spool";
    options.standing_clock = now_ms;
    options.limits.floor_bytes = 0;
    options.limits.floor_files = 0;
    options.limits.user_messages = 50;
    options.tell = [this](const Event& event) { events.push_back(event); };
    queue = std::move(*queue::Queue::open(options));
    queue->set_accounts(accounts);
  }
  void pass(std::int64_t seconds) {
    now_ms += seconds * 1000;
    queue->set_clock_ms(now_ms);
  }
  std::string add(const std::vector<std::string>& to, const std::string& from = "me@corp.example") {
    base::Result<queue::Accepted> accepted = queue->accept(submission(to, from), "work");
    REQUIRE(accepted.ok());
    return accepted->id;
  }
  // One attempt, all recipients with one fate.
  Settled attempt(const base::Fate& fate, bool marks = true) {
    std::optional<queue::Work> work = queue->take(0);
    REQUIRE(work.has_value());
    if (!work->resolved) REQUIRE(prepare(*work));
    if (marks) REQUIRE(queue->mark(*work).ok());
    const std::vector<base::Fate> fates(work->message.envelope.recipients.size(), fate);
    return queue->settle(std::move(*work), fates);
  }
  bool prepare(queue::Work& work) {
    base::Result<mail::Prepared> prepared =
        mail::prepare(std::move(work.submission), account_named("work").rules);
    if (!prepared) return false;
    const base::Done resolved = queue->resolve(work, "work", *prepared);
    work.message = std::move(*prepared);
    return resolved.ok();
  }
  std::size_t told(Event::Kind kind) const {
    std::size_t count = 0;
    for (const Event& event : events) count += event.kind == kind ? 1 : 0;
    return count;
  }

  Folder folder{};
  queue::QueueMs now_ms = begin_ms;
  std::vector<queue::AccountFacts> accounts = {account_named("work")};
  std::vector<Event> events{};
  std::unique_ptr<queue::Queue> queue{};
};

std::string bytes_of(const mail::Prepared& prepared) {
  return *mail::whole(prepared)->all(1 << 20);
}

}  // namespace

TEST_CASE("a message is delivered once and leaves nothing behind") {
  Stand stand;
  const std::string id = stand.add({"ann@x.example", "bob@x.example"});
  CHECK(stand.folder.files("spool/messages") == 1);
  std::optional<queue::Work> work = stand.queue->take(0);
  REQUIRE(work);
  CHECK(work->id == id);
  CHECK_FALSE(work->resolved);
  REQUIRE(stand.prepare(*work));
  CHECK(work->message.envelope.recipients.size() == 2);
  CHECK(bytes_of(work->message).find("Hello.") != std::string::npos);
  CHECK(bytes_of(work->message).find("Bcc") == std::string::npos);
  CHECK_FALSE(stand.queue->take(0));  // somebody has it
  REQUIRE(stand.queue->mark(*work).ok());
  const Settled settled =
      stand.queue->settle(std::move(*work), {fate(FateIs::delivered), fate(FateIs::delivered)});
  CHECK(settled.next == Settled::Next::gone);
  CHECK(stand.folder.files("spool/messages") == 0);
  CHECK(stand.queue->status().messages == 0);

  SECTION("the same submission again is no second one, after a restart too") {
    mail::Submission again = submission({"ann@x.example"}, "me@corp.example");
    again.id = id;
    CHECK(stand.queue->accept(again, "work")->repeated);
    stand.reopen();
    CHECK(stand.queue->accept(again, "work")->repeated);
    again.peer.uid = 1001;  // a stranger with this id gets one of his own
    CHECK_FALSE(stand.queue->accept(again, "work")->repeated);
  }
}

TEST_CASE("the same submission twice while it waits is one") {
  Stand stand;
  mail::Submission message = submission({"ann@x.example"}, "me@corp.example");
  CHECK_FALSE(stand.queue->accept(message, "work")->repeated);
  CHECK(stand.queue->accept(message, "work")->repeated);
  CHECK(stand.queue->status().messages == 1);
  message.peer.uid = 1001;
  const base::Result<queue::Accepted> other = stand.queue->accept(message, "work");
  REQUIRE(other.ok());
  CHECK(other->id != message.id);
  CHECK(stand.queue->status().messages == 2);
}

TEST_CASE("what was resolved at the first attempt is the same at the second") {
  Stand stand;
  stand.add({"ann@x.example"});
  std::optional<queue::Work> work = stand.queue->take(0);
  REQUIRE(stand.prepare(*work));
  const std::string first = bytes_of(work->message);
  REQUIRE(stand.queue->mark(*work).ok());
  const Settled settled = stand.queue->settle(std::move(*work), {fate(FateIs::deferred, "451 no")});
  CHECK(settled.next == Settled::Next::waits);
  CHECK(settled.next_in_s >= 60);
  CHECK_FALSE(stand.queue->take(0));
  stand.reopen();
  stand.pass(59);
  CHECK_FALSE(stand.queue->take(0));
  stand.pass(2);
  work = stand.queue->take(0);
  REQUIRE(work);
  CHECK(work->resolved);
  CHECK(work->attempt == 2);
  CHECK(bytes_of(work->message) == first);
}

TEST_CASE("good recipients are served once, deferred ones again, refused ones bounce once") {
  Stand stand;
  stand.add({"good@x.example", "later@x.example", "bad@x.example"});
  std::optional<queue::Work> work = stand.queue->take(0);
  REQUIRE(stand.prepare(*work));
  REQUIRE(stand.queue->mark(*work).ok());
  const Settled settled =
      stand.queue->settle(std::move(*work), {fate(FateIs::delivered),
                                             fate(FateIs::deferred, "450 4.2.1 later", "4.2.1"),
                                             fate(FateIs::refused, "550 5.1.1 unknown", "5.1.1")});
  CHECK(settled.next == Settled::Next::waits);
  CHECK(settled.bounce.size() == 32);
  work = stand.queue->take(0);  // the bounce
  REQUIRE(work);
  CHECK(work->id == settled.bounce);
  CHECK(work->submission.envelope.sender.null());
  const std::string bounce = *work->submission.message.bytes.all(1 << 20);
  CHECK(bounce.find("Final-Recipient: rfc822;bad@x.example") != std::string::npos);
  CHECK(bounce.find("later@x.example") == std::string::npos);
  REQUIRE(stand.prepare(*work));
  stand.queue->settle(std::move(*work), {fate(FateIs::delivered)});
  stand.pass(61);
  work = stand.queue->take(0);
  REQUIRE(work);
  REQUIRE(work->message.envelope.recipients.size() == 1);
  CHECK(work->message.envelope.recipients[0].mailbox.local == "later");
  CHECK(stand.queue->settle(std::move(*work), {fate(FateIs::delivered)}).next ==
        Settled::Next::gone);
  CHECK(stand.told(Event::Kind::bounced) == 1);
  CHECK(stand.queue->status().messages == 0);
}

TEST_CASE("a process that dies behind the mark leaves it unknown, before it as it was") {
  Stand stand;
  stand.add({"ann@x.example"});
  std::optional<queue::Work> work = stand.queue->take(0);
  REQUIRE(stand.prepare(*work));
  SECTION("before") {
    work.reset();
    stand.reopen();
    CHECK(stand.queue->status().unknown == 0);
    CHECK(stand.queue->take(0));
  }
  SECTION("behind: 5 min, 15 min, 1 h, 4 h, then held") {
    for (const std::int64_t pause : {300, 900, 3600, 14400}) {
      REQUIRE(stand.queue->mark(*work).ok());
      work.reset();
      stand.reopen();
      CHECK(stand.queue->status().unknown == 1);
      stand.pass(pause - 1);
      CHECK_FALSE(stand.queue->take(0));
      stand.pass(1);
      work = stand.queue->take(0);
      REQUIRE(work);
      CHECK(work->maybe_duplicate);
    }
    REQUIRE(stand.queue->mark(*work).ok());
    work.reset();
    stand.reopen();
    stand.pass(100'000);
    CHECK_FALSE(stand.queue->take(0));
    CHECK(stand.queue->status().held == 1);
  }
}

TEST_CASE("a lost final reply is retried slowly, then held, and never bounced") {
  Stand stand;
  const std::string id = stand.add({"ann@x.example"});
  for (const std::int64_t pause : {300, 900, 3600, 14400}) {
    const Settled settled = stand.attempt(fate(FateIs::unknown));
    CHECK(settled.next_in_s == pause);
    stand.pass(pause);
  }
  CHECK(stand.attempt(fate(FateIs::unknown)).next == Settled::Next::held);
  CHECK(stand.told(Event::Kind::held) == 1);
  CHECK(stand.told(Event::Kind::bounced) == 0);
  CHECK(stand.queue->show(id, std::nullopt)->hold == queue::Hold::unknown);
  REQUIRE(stand.queue->release(id, std::nullopt).ok());
  CHECK(stand.attempt(fate(FateIs::delivered)).next == Settled::Next::gone);
}

TEST_CASE("a dead account: none bounced, one notice, all delivered after login") {
  Stand stand;
  for (int i = 0; i < 50; ++i) stand.add({"ann@x.example"});
  stand.attempt(fate(FateIs::held), false);
  CHECK_FALSE(stand.queue->take(0));
  for (int day = 0; day < 8; ++day) {
    stand.pass(86'400);
    stand.queue->tidy();
    if (std::optional<queue::Work> work = stand.queue->take(0)) {
      // Once an hour one tries for all.
      if (!work->resolved) REQUIRE(stand.prepare(*work));
      stand.queue->settle(std::move(*work), {fate(FateIs::held)});
    }
    CHECK_FALSE(stand.queue->take(0));
    if (day == 3) stand.reopen();
  }
  CHECK(stand.told(Event::Kind::account_held) == 9);  // the first, and one a day
  CHECK(stand.told(Event::Kind::bounced) == 0);
  const queue::Released released = stand.queue->release_account("work");
  CHECK(released.messages == 50);
  CHECK(released.oldest_s == 8 * 86'400);
  // They did not age: what is deferred now waits on, though retry_for is 5 d.
  CHECK(stand.attempt(fate(FateIs::deferred, "451 busy")).next == Settled::Next::waits);
  for (int i = 0; i < 49; ++i)
    CHECK(stand.attempt(fate(FateIs::delivered)).next == Settled::Next::gone);
  CHECK(stand.queue->status().messages == 1);
}

TEST_CASE("after hold_for the sender hears of it") {
  Stand stand;
  stand.add({"ann@x.example"});
  stand.attempt(fate(FateIs::held), false);
  stand.pass(std::int64_t{31} * 86'400);
  stand.queue->tidy();
  CHECK(stand.told(Event::Kind::bounced) == 1);
  CHECK(stand.queue->status().messages == 1);  // the bounce
}

TEST_CASE("after retry_for it bounces, and the delay was told once") {
  Stand stand;
  stand.add({"ann@x.example"});
  bool bounced = false;
  for (int i = 0; i < 400 && !bounced; ++i) {
    std::optional<queue::Work> work = stand.queue->take(0);
    if (work) {
      if (!work->resolved) REQUIRE(stand.prepare(*work));
      if (work->message.envelope.sender.null()) {  // the warning, the bounce
        stand.queue->settle(std::move(*work), {fate(FateIs::delivered)});
      } else {
        bounced = !stand.queue
                       ->settle(std::move(*work), {fate(FateIs::deferred, "451 4.3.0 no", "4.3.0")})
                       .bounce.empty();
      }
    }
    stand.pass(1800);
    stand.queue->tidy();
  }
  CHECK(bounced);
  CHECK(stand.now_ms - begin_ms >= queue::QueueMs{5} * 86'400 * 1000);
  CHECK(stand.now_ms - begin_ms <= queue::QueueMs{6} * 86'400 * 1000);
  CHECK(stand.told(Event::Kind::delayed) == 1);
  CHECK(stand.told(Event::Kind::bounced) == 1);
}

TEST_CASE("a storm of refusals is one bounce and a summary") {
  Stand stand;
  for (int i = 0; i < 40; ++i) stand.add({"bad@x.example"});
  for (int i = 0; i < 40; ++i) {
    std::optional<queue::Work> work = stand.queue->take(0);
    while (work && !work->resolved && work->submission.envelope.sender.null()) {
      REQUIRE(stand.prepare(*work));
      stand.queue->settle(std::move(*work), {fate(FateIs::delivered)});
      work = stand.queue->take(0);
    }
    REQUIRE(work);
    REQUIRE(stand.prepare(*work));
    stand.queue->settle(std::move(*work), {fate(FateIs::refused, "550 5.1.1 unknown", "5.1.1")});
  }
  CHECK(stand.told(Event::Kind::bounced) == 1);
  SECTION("at once") {}
  SECTION("after a restart") {
    stand.reopen();
  }
  stand.pass(601);
  stand.queue->tidy();
  std::string summary;
  for (int i = 0; i < 60; ++i) {
    std::optional<queue::Work> work = stand.queue->take(0);
    if (!work) break;
    if (work->submission.message.bytes.size_bytes() > 0)
      summary = *work->submission.message.bytes.all(1 << 20);
    REQUIRE(stand.prepare(*work));
    stand.queue->settle(std::move(*work), {fate(FateIs::delivered)});
  }
  stand.pass(601);
  stand.queue->tidy();
  while (std::optional<queue::Work> work = stand.queue->take(0)) {
    summary = *work->submission.message.bytes.all(1 << 20);
    REQUIRE(stand.prepare(*work));
    stand.queue->settle(std::move(*work), {fate(FateIs::delivered)});
  }
  CHECK(summary.find("bad@x.example") != std::string::npos);
  CHECK(stand.told(Event::Kind::bounced) <= 2);
  CHECK(stand.told(Event::Kind::summarised) >= 1);
  CHECK(stand.queue->status().messages == 0);
}

TEST_CASE("a bounce that nobody takes is kept and shown, then dropped") {
  Stand stand;
  stand.add({"bad@x.example"});
  stand.attempt(fate(FateIs::refused, "550 no"));
  stand.attempt(fate(FateIs::refused, "550 no"));
  CHECK_FALSE(stand.queue->take(0));
  CHECK(stand.told(Event::Kind::bounced) == 1);
  CHECK(stand.told(Event::Kind::undeliverable) == 1);
  CHECK(stand.queue->status().held == 1);
  stand.reopen();
  CHECK_FALSE(stand.queue->take(0));
  CHECK(stand.queue->status().held == 1);
  stand.pass(std::int64_t{31} * 86'400);
  stand.queue->tidy();
  CHECK(stand.told(Event::Kind::dropped) == 1);
  CHECK(stand.queue->status().messages == 0);
}

TEST_CASE("what came in with a null sender is never bounced") {
  Stand stand;
  stand.add({"bad@x.example"}, "<>");
  CHECK(stand.attempt(fate(FateIs::refused, "550 no")).next == Settled::Next::held);
  CHECK(stand.told(Event::Kind::bounced) == 0);
  CHECK(stand.queue->status().messages == 1);
}

TEST_CASE("without an account mail is held, and goes when there is one") {
  Stand stand;
  stand.accounts.clear();
  stand.reopen();
  const base::Result<queue::Accepted> accepted =
      stand.queue->accept(submission({"ann@x.example"}, "me@corp.example"), "");
  REQUIRE(accepted.ok());
  CHECK(accepted->held);
  CHECK_FALSE(stand.queue->take(0));
  stand.queue->set_accounts({account_named("work")});
  std::optional<queue::Work> work = stand.queue->take(0);
  REQUIRE(work);
  CHECK(work->account.empty());
  REQUIRE(stand.prepare(*work));
  CHECK(work->account == "work");
  CHECK(stand.queue->settle(std::move(*work), {fate(FateIs::delivered)}).next ==
        Settled::Next::gone);
}

TEST_CASE("limits of a user stop that user alone") {
  Stand stand;
  for (int i = 0; i < 50; ++i) stand.add({"ann@x.example"});
  CHECK(stand.queue->accept(submission({"a@x.example"}, "me@corp.example"), "work").error().fault ==
        base::Fault::unavailable);
  CHECK(stand.queue->accept(submission({"a@x.example"}, "me@corp.example", "x\r\n", 1001), "work")
            .ok());
  CHECK(
      stand.queue->accept(submission({"a@x.example"}, "me@corp.example", "x\r\n", 0), "work").ok());
}

TEST_CASE("a user sees and changes own messages only") {
  Stand stand;
  const std::string id = stand.add({"ann@x.example"});
  std::size_t rows = 0;
  stand.queue->list(1001, [&](const queue::Row&) { return ++rows > 0; });
  CHECK(rows == 0);
  stand.queue->list(1000, [&](const queue::Row& row) {
    CHECK(row.recipients.at(0).address == "ann@x.example");
    return ++rows > 0;
  });
  CHECK(rows == 1);
  CHECK_FALSE(stand.queue->show(id, 1001).ok());
  CHECK_FALSE(stand.queue->remove(id, 1001).ok());
  CHECK_FALSE(stand.queue->hold(id, 1001).ok());
  CHECK_FALSE(stand.queue->show("../../etc/passwd", std::nullopt).ok());
  REQUIRE(stand.queue->hold(id, 1000).ok());
  stand.reopen();
  CHECK_FALSE(stand.queue->take(0));
  CHECK_FALSE(stand.queue->retry(id, 1000).ok());
  REQUIRE(stand.queue->release(id, 1000).ok());
  REQUIRE(stand.queue->remove(id, 1000).ok());
  CHECK(stand.queue->status().messages == 0);
  CHECK(stand.folder.files("spool/messages") == 0);
}

TEST_CASE("an unreachable provider is tried by one for all, and all go when it is back") {
  Stand stand;
  stand.accounts[0].max_connections = 10;
  stand.reopen();
  for (int i = 0; i < 50; ++i) stand.add({"ann@x.example"});
  std::size_t attempts = 0;
  for (int minute = 0; minute < 60; ++minute) {
    while (std::optional<queue::Work> work = stand.queue->take(0)) {
      if (!work->resolved) REQUIRE(stand.prepare(*work));
      stand.queue->settle(std::move(*work), {fate(FateIs::deferred)});
      ++attempts;
    }
    stand.pass(60);
  }
  CHECK(attempts < 80);
  stand.pass(30);
  std::size_t delivered = 0;
  while (std::optional<queue::Work> work = stand.queue->take(0)) {
    if (!work->resolved) REQUIRE(stand.prepare(*work));
    stand.queue->settle(std::move(*work), {fate(FateIs::delivered)});
    ++delivered;
  }
  CHECK(delivered == 50);
}

TEST_CASE("a slow account leaves the workers to the others") {
  Stand stand;
  stand.accounts.push_back(account_named("other"));
  stand.accounts[0].max_connections = 100;
  stand.reopen();
  for (int i = 0; i < 20; ++i) stand.add({"ann@x.example"});
  REQUIRE(stand.queue->accept(submission({"b@x.example"}, "me@corp.example"), "other").ok());
  std::vector<queue::Work> slow;
  bool other = false;
  while (std::optional<queue::Work> work = stand.queue->take(0)) {
    other = other || work->account == "other";
    slow.push_back(std::move(*work));
    if (slow.size() == 8) break;
  }
  CHECK(other);
}

TEST_CASE("many threads: every message is delivered exactly once") {
  Folder folder;
  queue::Options options;
  options.folder = folder / "spool";
  options.limits.floor_bytes = 0;
  std::unique_ptr<queue::Queue> queue = std::move(*queue::Queue::open(options));
  std::vector<queue::AccountFacts> accounts = {account_named("work"), account_named("other")};
  accounts[0].max_connections = accounts[1].max_connections = 4;
  queue->set_accounts(accounts);
  constexpr int each = 25;
  std::atomic<int> accepted = 0;
  std::mutex guard;
  std::map<std::string, int> seen;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        if (queue
                ->accept(submission({"ann@x.example"}, "me@corp.example"),
                         t % 2 == 0 ? "work" : "other")
                .ok())
          ++accepted;
      }
    });
    threads.emplace_back([&] {
      while (std::optional<queue::Work> work = queue->take(60'000)) {
        base::Result<mail::Prepared> prepared =
            mail::prepare(std::move(work->submission), account_named("work").rules);
        const bool ready = prepared.ok() && queue->resolve(*work, work->account, *prepared).ok() &&
                           queue->mark(*work).ok();
        if (!ready) std::abort();
        bool all = false;
        {
          const std::lock_guard lock(guard);
          ++seen[work->id];
          all = seen.size() == 8 * each;
        }
        queue->settle(std::move(*work), {fate(FateIs::delivered)});
        if (all) queue->stop();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(accepted == 8 * each);
  CHECK(seen.size() == 8 * each);
  for (const auto& [id, count] : seen) CHECK(count == 1);
  CHECK(queue->status().messages == 0);
}

TEST_CASE("shares of one message: what was sent before the mark of the next failed stays sent") {
  Stand stand;
  stand.add({"a@x.example", "b@x.example"});
  std::optional<queue::Work> work = stand.queue->take(0);
  REQUIRE(stand.prepare(*work));
  REQUIRE(stand.queue->mark(*work, 0, 1).ok());
  REQUIRE(stand.queue->mark(*work, 1, 1).ok());
  stand.queue->settle(std::move(*work),
                      {fate(FateIs::delivered), fate(FateIs::deferred, "451 later")});
  stand.reopen();
  stand.pass(61);
  work = stand.queue->take(0);
  REQUIRE(work);
  CHECK(work->attempt == 2);
  REQUIRE(work->message.envelope.recipients.size() == 1);
  CHECK(work->message.envelope.recipients[0].mailbox.local == "b");
  CHECK_FALSE(work->maybe_duplicate);
}

TEST_CASE("a spool that cannot be written: nothing is sent, and all goes when it can") {
  Stand stand;
  stand.add({"a@x.example"});
  std::optional<queue::Work> work = stand.queue->take(0);
  REQUIRE(stand.prepare(*work));
  // A file that ends before its END, as seen by who wants to add to it.
  const std::string path = stand.folder / ("spool/messages/" + work->id);
  const std::string whole = content(path);
  REQUIRE(truncate(path.c_str(), 10) == 0);
  const base::Done marked = stand.queue->mark(*work);
  REQUIRE_FALSE(marked.ok());
  stand.queue->settle(std::move(*work), marked.error());
  CHECK(stand.told(Event::Kind::unwritable) == 1);
  CHECK(stand.queue->status().unwritable);
  CHECK_FALSE(stand.queue->take(0));
  std::ofstream(path, std::ios::binary) << whole;
  stand.pass(6);
  CHECK(stand.attempt(fate(FateIs::delivered)).next == Settled::Next::gone);
  CHECK(stand.told(Event::Kind::writable) == 1);
}
