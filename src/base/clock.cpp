#include "base/clock.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace base {

std::int64_t boot_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

std::int64_t wall_seconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec;
}

int Deadline::left_ms() const {
  if (at_ms_ == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<std::int64_t>(at_ms_ - boot_ms(), 0, INT32_MAX));
}

std::string rfc5322_date(std::int64_t wall_seconds) {
  // Not strftime: its names follow the locale.
  static constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed",
                                                      "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t when = wall_seconds;
  std::tm local{};
  if (localtime_r(&when, &local) == nullptr) gmtime_r(&when, &local);
  const long offset_min = local.tm_gmtoff / 60;
  const long offset_abs = offset_min < 0 ? -offset_min : offset_min;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d %c%02ld%02ld",
                days[static_cast<std::size_t>(local.tm_wday)], local.tm_mday,
                months[static_cast<std::size_t>(local.tm_mon)], local.tm_year + 1900, local.tm_hour,
                local.tm_min, local.tm_sec, offset_min < 0 ? '-' : '+', offset_abs / 60,
                offset_abs % 60);
  return text.data();
}

}  // namespace base
