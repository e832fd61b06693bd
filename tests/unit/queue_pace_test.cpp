#include "queue/pace.h"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include "catch.h"

using queue::Pace;
using queue::PaceLimits;
using queue::QueueMs;

namespace {

constexpr QueueMs second = 1000;
constexpr QueueMs minute = 60 * second;
constexpr QueueMs day = 24 * 60 * minute;

struct Sent {
  QueueMs at_ms;  // when the provider counts it: somewhere between start and end
  std::size_t recipients;
};

// The most in any window (end - length, end], by what the provider sees.
template <typename Weight>
std::size_t most_in(std::vector<Sent> all, QueueMs length, const Weight& weight) {
  std::sort(all.begin(), all.end(), [](const Sent& a, const Sent& b) { return a.at_ms < b.at_ms; });
  std::size_t most = 0;
  std::size_t sum = 0;
  std::size_t first = 0;
  for (const Sent& one : all) {
    sum += weight(one);
    while (all[first].at_ms <= one.at_ms - length) sum -= weight(all[first++]);
    most = std::max(most, sum);
  }
  return most;
}

// Two connections that always have something to send, each message taking as long as it likes.
std::vector<Sent> simulate(Pace& pace, QueueMs from, QueueMs until, std::size_t recipients,
                           const std::vector<uid_t>& uids) {
  std::minstd_rand random(7);
  struct UnderWay {
    QueueMs end_ms;
    std::size_t recipients;
  };
  std::deque<UnderWay> under_way;
  std::vector<Sent> sent;
  std::size_t turn = 0;
  QueueMs now = from;
  while (now < until) {
    for (std::size_t i = 0; i < under_way.size();) {
      if (under_way[i].end_ms > now) {
        ++i;
        continue;
      }
      pace.end(under_way[i].recipients, under_way[i].recipients, now);
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(i));
    }
    QueueMs next = INT64_MAX;
    for (const UnderWay& one : under_way) next = std::min(next, one.end_ms);
    bool started = false;
    for (std::size_t k = 0; k < uids.size() && under_way.size() < 2; ++k) {
      const uid_t uid = uids[turn++ % uids.size()];
      const QueueMs at_ms = pace.earliest(uid, recipients, now);
      if (at_ms > now) {
        next = std::min(next, at_ms);
        continue;
      }
      pace.start(uid, recipients, now);
      const QueueMs takes = 100 + static_cast<QueueMs>(random() % 1500);
      under_way.push_back({now + takes, recipients});
      sent.push_back({now + static_cast<QueueMs>(random()) % takes, recipients});
      started = true;
    }
    if (!started) now = std::max(now + 1, next);
  }
  return sent;
}

std::size_t one_each(const Sent&) {
  return 1;
}
std::size_t each_recipient(const Sent& sent) {
  return sent.recipients;
}

}  // namespace

TEST_CASE("a simulated day: no minute over the limit, at least 95 % used") {
  Pace pace;
  PaceLimits limits;
  limits.messages_per_minute = 28;
  pace.set_limits(limits);
  const std::vector<Sent> sent = simulate(pace, day, 2 * day, 1, {33});
  CHECK(most_in(sent, minute, one_each) <= 28);
  CHECK(sent.size() >= 28U * 24 * 60 * 95 / 100);
}

TEST_CASE("two simulated days: no 24 h over the limit of recipients, at least 95 % used") {
  Pace pace;
  PaceLimits limits;
  limits.messages_per_minute = 28;
  limits.recipients_per_day = 10'000;
  pace.set_limits(limits);
  const std::vector<Sent> sent = simulate(pace, day, 3 * day, 5, {33, 0});
  CHECK(most_in(sent, minute, one_each) <= 28);
  CHECK(most_in(sent, day, each_recipient) <= 10'000);
  std::size_t all = 0;
  for (const Sent& one : sent) all += one.recipients;
  CHECK(all >= 2U * 10'000 * 95 / 100);
}

TEST_CASE("one site cannot use the day up: a tenth is root's") {
  Pace pace;
  PaceLimits limits;
  limits.recipients_per_day = 1000;
  pace.set_limits(limits);
  const std::vector<Sent> sent = simulate(pace, day, day + 60 * minute, 1, {33});
  CHECK(sent.size() == 900);
  CHECK(pace.earliest(33, 1, day + 61 * minute) > day + 120 * minute);
  CHECK(pace.earliest(0, 100, day + 61 * minute) == day + 61 * minute);
  CHECK(pace.earliest(0, 101, day + 61 * minute) > day + 61 * minute);
}

TEST_CASE("a user's hour has its own limit; others and root have theirs") {
  Pace pace;
  PaceLimits limits;
  limits.user_messages_per_hour = 10;
  pace.set_limits(limits);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(pace.earliest(33, 1, day) == day);
    pace.start(33, 1, day);
    pace.end(1, 1, day);
  }
  CHECK(pace.earliest(33, 1, day) > day + 59 * minute);
  CHECK(pace.earliest(33, 1, day) <= day + 62 * minute);
  CHECK(pace.earliest(34, 1, day) == day);
  CHECK(pace.earliest(0, 1, day) == day);
}

TEST_CASE("forty hosts on one mailbox keep their share") {
  Pace pace;
  PaceLimits limits;
  limits.messages_per_minute = 30;
  limits.recipients_per_day = 10'000;
  limits.share = 1.0 / 10;
  pace.set_limits(limits);
  const std::vector<Sent> sent = simulate(pace, day, 2 * day, 1, {0});
  CHECK(most_in(sent, minute, one_each) <= 3);
  CHECK(most_in(sent, day, one_each) <= 1000);
}

TEST_CASE("more recipients than a day's go when nothing else went") {
  Pace pace;
  PaceLimits limits;
  limits.recipients_per_day = 100;
  limits.kept_for_root = 0;
  pace.set_limits(limits);
  CHECK(pace.earliest(33, 5000, day) == day);
  pace.start(33, 1, day);
  pace.end(1, 1, day);
  CHECK(pace.earliest(33, 5000, day) > day);
}

TEST_CASE("the provider's word slows down, once for all that were under way, and wears off") {
  Pace pace;
  PaceLimits limits;
  limits.messages_per_minute = 28;
  pace.set_limits(limits);
  pace.slow_down(40, day);
  pace.slow_down(0, day + 10);
  CHECK(pace.paused_until() == day + 40 * second);
  CHECK(pace.earliest(0, 1, day) == day + 40 * second);
  CHECK(pace.factor(day + minute) == 0.5);
  const QueueMs later = day + 41 * second;
  const std::vector<Sent> sent = simulate(pace, later, later + minute, 1, {0});
  CHECK(sent.size() == 14);
  CHECK(pace.factor(day + 60 * minute) == 1.0);
  pace.slow_down(0, day + 2 * minute);
  const QueueMs first = pace.paused_until();
  CHECK(first == day + 2 * minute + 120 * second);  // a second time soon after: longer
  CHECK(pace.factor(first) == 0.25);
  pace.slow_down(1'000'000, day + 200 * minute);
  CHECK(pace.paused_until() <= day + 200 * minute + day);
}

TEST_CASE("the day's recipients are known after a restart") {
  Pace pace;
  PaceLimits limits;
  limits.recipients_per_day = 1000;
  limits.kept_for_root = 0;
  pace.set_limits(limits);
  simulate(pace, day, day + 600 * minute, 10, {33});
  Pace again;
  again.set_limits(limits);
  REQUIRE(again.restore(pace.text(), day + 601 * minute).ok());
  CHECK(again.text() == pace.text());
  CHECK(again.earliest(33, 1, day + 601 * minute) > day + 601 * minute);
  CHECK(again.earliest(33, 1, 3 * day) == 3 * day);
  SECTION("of a time to come: as if it were now") {
    Pace back;
    back.set_limits(limits);
    REQUIRE(back.restore(pace.text(), day / 2).ok());
    CHECK(back.earliest(33, 1, day / 2) > day / 2);
    CHECK(back.earliest(33, 1, day / 2) <= day / 2 + day + 10 * minute);
  }
  SECTION("what is damaged is as none") {
    const std::string before = again.text();
    for (const char* text : {"1", "1:", ":1", "a:b", "1:-1", "1:1:1", "99999999999999999999:1"})
      CHECK_FALSE(again.restore(text, day).ok());
    CHECK(again.text() == before);
  }
}
