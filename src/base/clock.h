// clock: the only place that asks the kernel for the time.
// Durations in milliseconds on a clock that nobody sets and that runs on while the machine sleeps
// (CLOCK_BOOTTIME); dates in seconds since 1970 on the wall clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace base {

std::int64_t boot_ms();       // for deadlines
std::int64_t wall_seconds();  // for dates, token expiry and nothing else

// A moment on the boot clock by which something must be done.
class Deadline {
 public:
  static Deadline after_ms(std::int64_t ms) { return Deadline(boot_ms() + ms); }
  static Deadline never() { return Deadline(INT64_MAX); }
  bool passed() const { return at_ms_ != INT64_MAX && boot_ms() >= at_ms_; }
  // For poll(2): -1 for never, else 0 to INT32_MAX.
  int left_ms() const;
  Deadline or_sooner(Deadline other) const { return Deadline(std::min(at_ms_, other.at_ms_)); }

 private:
  explicit Deadline(std::int64_t at_ms) : at_ms_(at_ms) {}
  std::int64_t at_ms_;
};

// RFC 5322 3.3 date-time, in the local zone: "Fri, 20 Nov 2026 22:32:14 +0000".
std::string rfc5322_date(std::int64_t wall_seconds);

}  // namespace base
