// pace: no more than the provider allows, before it has to say so. Sliding windows: messages in any
// 60 s, recipients in any 24 h (in steps of 5 min, kept across restarts), messages of one uid in
// any hour. A message counts from its start until its window after its end, so that the limits hold
// at the provider's door, whatever the way there takes. Pure: the clock is brought by the caller.
// Source: design sections 3 and 6; facts/providers.md 2.8 and 6. Units: milliseconds of queue time.
// Limits: 0 is none. Not thread-safe; its owner locks.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/clock.h"

namespace queue {

struct PaceLimits {
  std::int64_t messages_per_minute = 0;
  std::int64_t recipients_per_day = 0;
  double share = 1.0;                       // of both, for this host (rate_share)
  std::int64_t user_messages_per_hour = 0;  // one uid but root's
  double kept_for_root = 0.1;               // of the recipients of a day
};

// Counts in steps of time, over `Steps` whole steps and the running one: never less than the
// window.
template <std::size_t Steps>
class Ring {
 public:
  void advance(std::int64_t step) {
    if (step <= newest_) return;
    if (step - newest_ > static_cast<std::int64_t>(Steps)) counts_.fill(0);
    for (; newest_ < step && step - newest_ <= static_cast<std::int64_t>(Steps);) at(++newest_) = 0;
    newest_ = step;
  }
  void add(std::int64_t step, std::uint32_t count) {
    advance(step);
    at(newest_) += count;
  }
  std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (const std::uint32_t one : counts_) all += one;
    return all;
  }
  // The first step at which no more than `most` are left.
  std::int64_t step_of_at_most(std::uint64_t most) const {
    std::uint64_t left = sum();
    std::int64_t step = newest_ - static_cast<std::int64_t>(Steps);
    for (; left > most && step <= newest_; ++step) left -= count(step);
    return step + static_cast<std::int64_t>(Steps);
  }
  std::uint32_t count(std::int64_t step) const { return counts_[place(step)]; }
  std::int64_t newest() const { return newest_; }
  static constexpr std::int64_t length = Steps + 1;

 private:
  static std::size_t place(std::int64_t step) {
    return static_cast<std::size_t>((step % length + length) % length);
  }
  std::uint32_t& at(std::int64_t step) { return counts_[place(step)]; }
  std::array<std::uint32_t, Steps + 1> counts_{};
  std::int64_t newest_ = 0;
};

class Pace {
 public:
  void set_limits(const PaceLimits& limits) { limits_ = limits; }
  const PaceLimits& limits() const { return limits_; }

  // The first moment, from `now_ms` on, at which a message of `uid` to `recipients` may start;
  // now_ms itself: at once. More recipients than a whole day's are let through on an empty window.
  QueueMs earliest(uid_t uid, std::size_t recipients, QueueMs now_ms);
  // It starts; who starts must end it, with those recipients that the provider may have counted.
  void start(uid_t uid, std::size_t recipients, QueueMs now_ms);
  void end(std::size_t recipients, std::size_t counted, QueueMs now_ms);

  // The provider asks for less: a pause of `asked_s` (0: a minute, doubling to an hour), and half
  // the rate, which grows back while it is quiet.
  void slow_down(std::int64_t asked_s, QueueMs now_ms);
  // Nothing more starts before.
  QueueMs paused_until() const { return paused_until_; }
  double factor(QueueMs now_ms) const;  // of the rate, 1: whole

  // What outlives a restart: the recipients of the day. Empty text: nothing known.
  std::string text() const;
  base::Done restore(std::string_view text, QueueMs now_ms);

 private:
  static constexpr std::size_t day_steps = 288;
  static constexpr std::size_t hour_steps = 60;
  static constexpr std::size_t uid_limit = 4096;  // uids remembered
  std::int64_t per_minute(QueueMs now_ms) const;
  std::int64_t per_day(uid_t uid) const;
  void forget_idle(std::int64_t hour_step);
  QueueMs minute_free_at(QueueMs now_ms);
  QueueMs day_free_at(uid_t uid, std::size_t recipients, QueueMs now_ms);
  QueueMs hour_free_at(uid_t uid, QueueMs now_ms);

  PaceLimits limits_{};
  std::size_t under_way_ = 0;
  std::size_t recipients_under_way_ = 0;
  std::deque<QueueMs> ended_{};  // of the last minute, oldest first
  Ring<day_steps> day_{};
  std::map<uid_t, Ring<hour_steps>> hours_{};
  QueueMs paused_until_ = 0;
  QueueMs slowed_at_ = 0;
  double factor_ = 1.0;
  unsigned complaints_ = 0;  // without a quiet spell between
};

}  // namespace queue
