// retry: when a message is tried again, and when no more. Pure; the caller brings the randomness.
// Source: design section 6; facts/reliability-security 4.2 for what is unknown. Units: seconds.
#pragma once

#include <cstdint>
#include <optional>

namespace queue {

// How long an account's mail may wait.
struct Patience {
  std::int64_t retry_for_s = std::int64_t{5} * 86400;  // stands still on hold
  std::int64_t hold_for_s = std::int64_t{30} * 86400;
  std::int64_t warn_after_s = std::int64_t{4} * 3600;  // 0: no warning
};

constexpr std::int64_t first_retry_s = 60;
constexpr std::int64_t longest_retry_s = 3600;

// The pause after the `failures`th (from 1) deferred attempt: 1 min, doubling to 1 h, less up to a
// fifth by `chance` (0 to 1), so that what failed together does not come back together. What the
// server asked for counts if it is longer, up to a day.
std::int64_t pause_after(unsigned failures, std::int64_t asked_s, double chance);

// The pause after the `times`th (from 1) lost final reply: 5 min, 15 min, 1 h, 4 h; then nothing:
// a person has to look.
std::optional<std::int64_t> pause_after_unknown(unsigned times);

}  // namespace queue
