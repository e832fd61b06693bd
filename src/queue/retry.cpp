#include "queue/retry.h"

#include <algorithm>
#include <array>

namespace queue {

namespace {
constexpr std::int64_t longest_asked_s = 86400;
constexpr std::array<std::int64_t, 4> unknown_s = {300, 900, 3600, 14400};
}  // namespace

std::int64_t pause_after(unsigned failures, std::int64_t asked_s, double chance) {
  const unsigned doublings = std::min(failures == 0 ? 0U : failures - 1, 16U);
  const std::int64_t whole = std::min(first_retry_s << doublings, longest_retry_s);
  const double less = std::clamp(chance, 0.0, 1.0) * 0.2 * static_cast<double>(whole);
  // The first pause is never under a minute.
  const std::int64_t own = std::max(whole - static_cast<std::int64_t>(less), first_retry_s);
  return std::max(own, std::min(asked_s, longest_asked_s));
}

std::optional<std::int64_t> pause_after_unknown(unsigned times) {
  if (times == 0) return unknown_s.front();
  if (times > unknown_s.size()) return std::nullopt;
  return unknown_s.at(times - 1);
}

}  // namespace queue
