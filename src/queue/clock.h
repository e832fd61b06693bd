// clock: the queue's own time. It begins as the wall clock of the day on which the spool was made,
// runs with the boot clock, and is written down, so that no jump of the wall clock, forwards or
// backwards, with or without a restart, makes mail old or young. Time in which no agent ran counts
// as the wall clock says, but never less than nothing and never more than a day.
// Units: milliseconds of queue time; all times that the queue keeps or compares are such.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace queue {

using QueueMs = std::int64_t;

// What was written down: a moment of queue time and what the wall clock said then.
struct Tick {
  QueueMs at_ms = 0;
  std::int64_t wall_s = 0;
};

// The queue time at which an agent starts. Pure.
QueueMs resumed(const Tick& last, std::int64_t wall_s);

class Clock {
 public:
  // Reads `path`; a missing or unreadable one begins at the wall clock, but not before `latest_ms`,
  // the newest moment that the spool's files speak of.
  static Clock resume(const std::string& path, QueueMs latest_ms);
  // For tests: stands at `at_ms` until it is set.
  static Clock standing(QueueMs at_ms);
  Clock(Clock&& other) noexcept;
  void restart(const Clock& other);  // before anybody asks
  QueueMs now_ms() const;
  void set_ms(QueueMs at_ms) { standing_ms_ = at_ms; }  // of a standing one
  base::Done write_down(const std::string& path) const;
  // A moment as a date of the present wall clock, for people.
  std::int64_t as_wall_s(QueueMs at_ms) const;

 private:
  Clock(QueueMs at_ms, std::int64_t boot_ms) : at_ms_(at_ms), boot_ms_(boot_ms) {}
  QueueMs at_ms_;
  std::int64_t boot_ms_;
  std::atomic<QueueMs> standing_ms_{-1};
};

}  // namespace queue
