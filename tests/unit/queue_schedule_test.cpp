#include "queue/schedule.h"

#include <map>
#include <vector>

#include "base/clock.h"
#include "catch.h"
#include "queue/clock.h"
#include "queue/holds.h"
#include "queue/retry.h"
#include "queue_stand.h"

using queue::QueueMs;
using queue::Schedule;
using queue::Waiting;

namespace {
QueueMs at_once(const Waiting&) {
  return 0;
}
}  // namespace

TEST_CASE("what is due first goes first; what is not due stays") {
  Schedule schedule;
  schedule.add({1, 1, 1000, 300});
  schedule.add({2, 1, 1000, 100});
  schedule.add({3, 1, 1000, 200});
  CHECK_FALSE(schedule.take(99, at_once));
  CHECK(schedule.next_look_ms() == 100);
  CHECK(schedule.take(250, at_once)->slot == 2);
  CHECK(schedule.take(250, at_once)->slot == 3);
  CHECK_FALSE(schedule.take(250, at_once));
  CHECK(schedule.next_look_ms() == 300);
  CHECK(schedule.remove({1, 1, 1000, 300}));
  CHECK_FALSE(schedule.remove({1, 1, 1000, 300}));
  CHECK(schedule.size() == 0);
  CHECK_FALSE(schedule.take(1000, at_once));
  CHECK(schedule.next_look_ms() == INT64_MAX);
}

TEST_CASE("accounts and users take turns") {
  Schedule schedule;
  for (queue::Slot slot = 0; slot < 100; ++slot) schedule.add({slot, 1, 33, 0});
  schedule.add({200, 1, 1000, 5});
  schedule.add({300, 2, 1000, 5});
  std::vector<queue::Slot> first;
  for (int i = 0; i < 4; ++i) first.push_back(schedule.take(10, at_once)->slot);
  CHECK(std::count(first.begin(), first.end(), 200U) == 1);
  CHECK(std::count(first.begin(), first.end(), 300U) == 1);
}

TEST_CASE("an account that may not start holds nobody up, nor does a user") {
  Schedule schedule;
  schedule.add({1, 1, 33, 0});
  schedule.add({2, 1, 34, 0});
  schedule.add({3, 2, 33, 0});
  const auto rule = [](const Waiting& waiting) -> QueueMs {
    return waiting.account == 1 && waiting.uid == 33 ? 5000 : 0;
  };
  std::vector<queue::Slot> all;
  while (const std::optional<Waiting> taken = schedule.take(10, rule)) all.push_back(taken->slot);
  CHECK(all.size() == 2);
  CHECK(schedule.next_look_ms() == 5000);
}

TEST_CASE("a hundred thousand go through in no time") {
  Schedule schedule;
  const std::int64_t begin = base::boot_ms();
  for (queue::Slot slot = 0; slot < 100'000; ++slot)
    schedule.add({slot, slot % 3, slot % 50, static_cast<QueueMs>(slot * 7919 % 100'003)});
  std::size_t count = 0;
  while (schedule.take(200'000, at_once)) ++count;
  CHECK(count == 100'000);
  CHECK(base::boot_ms() - begin < 5000);
}

TEST_CASE(
    "pauses: a minute, doubling to an hour, less up to a fifth; the server's word if longer") {
  CHECK(queue::pause_after(1, 0, 0) == 60);
  CHECK(queue::pause_after(1, 0, 1) == 60);
  CHECK(queue::pause_after(2, 0, 0) == 120);
  CHECK(queue::pause_after(2, 0, 1) == 96);
  CHECK(queue::pause_after(7, 0, 0) == 3600);
  CHECK(queue::pause_after(4'000'000'000, 0, 0) == 3600);
  CHECK(queue::pause_after(1, 300, 0) == 300);
  CHECK(queue::pause_after(7, 300, 0) == 3600);
  CHECK(queue::pause_after(1, INT64_MAX, 0) == 86'400);
  CHECK(queue::pause_after(1, -5, 0) == 60);
  CHECK(*queue::pause_after_unknown(1) == 300);
  CHECK(*queue::pause_after_unknown(4) == 14'400);
  CHECK_FALSE(queue::pause_after_unknown(5));
}

TEST_CASE("the queue's clock: no jump of the wall clock makes mail old or young") {
  const queue::Tick last{5'000'000'000'000, 1'800'000'000};
  CHECK(queue::resumed(last, 1'800'000'060) == last.at_ms + 60'000);
  CHECK(queue::resumed(last, 1'700'000'000) == last.at_ms);               // -3 years
  CHECK(queue::resumed(last, 0) == last.at_ms);                           // 1970
  CHECK(queue::resumed(last, 2'147'483'648) == last.at_ms + 86'400'000);  // 2038
  CHECK(queue::resumed(last, 1'800'000'000 + 86'400 * 3650) == last.at_ms + 86'400'000);
  const queue_stand::Folder folder;
  const queue::Clock clock = queue::Clock::resume(folder / "clock", 0);
  CHECK(clock.now_ms() / 1000 - base::wall_seconds() <= 1);
  REQUIRE(clock.write_down(folder / "clock").ok());
  CHECK(queue::Clock::resume(folder / "clock", 0).now_ms() - clock.now_ms() < 2000);
  // Files speak of a later moment than a clock that was restored from a backup.
  CHECK(queue::Clock::resume(folder / "clock", clock.now_ms() + 500'000).now_ms() >=
        clock.now_ms() + 400'000);
}

TEST_CASE("time on hold is no waiting") {
  queue::Holds holds;
  holds.begin(1000, {});
  holds.begin(1500, {});
  CHECK(holds.since_ms() == 1000);
  holds.end(2000);
  holds.begin(5000, {});
  CHECK(holds.within(0, 6000) == 2000);
  CHECK(holds.within(1200, 1300) == 100);
  CHECK(holds.within(3000, 4000) == 0);
  queue::Pack pack;
  holds.pack(pack);
  queue::Unpack unpack(pack.bytes());
  queue::Holds again;
  again.unpack(unpack);
  CHECK(unpack.done());
  CHECK(again.within(0, 6000) == 2000);
}
