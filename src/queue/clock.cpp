#include "queue/clock.h"

#include <fcntl.h>

#include <algorithm>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

namespace queue {

namespace {

constexpr std::int64_t longest_gap_s = 86400;
constexpr std::size_t file_limit_bytes = 128;

// "queue-ms wall-s\n"
bool read_tick(const std::string& path, Tick& tick) {
  const base::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.open()) return false;
  const base::Result<std::string> text = base::read_all(file.get(), file_limit_bytes, path);
  if (!text) return false;
  const std::vector<std::string> words = base::words(base::trim(*text));
  constexpr std::int64_t far = INT64_MAX / 4;
  return words.size() == 2 && base::parse_number(words[0], 0, far, tick.at_ms) &&
         base::parse_number(words[1], 0, far, tick.wall_s);
}

}  // namespace

QueueMs resumed(const Tick& last, std::int64_t wall_s) {
  return last.at_ms + std::clamp<std::int64_t>(wall_s - last.wall_s, 0, longest_gap_s) * 1000;
}

Clock Clock::resume(const std::string& path, QueueMs latest_ms) {
  const std::int64_t wall_s = base::wall_seconds();
  Tick tick;
  const QueueMs at_ms = read_tick(path, tick) ? resumed(tick, wall_s) : wall_s * 1000;
  return {std::max(at_ms, latest_ms), base::boot_ms()};
}

Clock Clock::standing(QueueMs at_ms) {
  Clock clock(at_ms, 0);
  clock.standing_ms_ = at_ms;
  return clock;
}

Clock::Clock(Clock&& other) noexcept
    : at_ms_(other.at_ms_), boot_ms_(other.boot_ms_), standing_ms_(other.standing_ms_.load()) {}

void Clock::restart(const Clock& other) {
  at_ms_ = other.at_ms_;
  boot_ms_ = other.boot_ms_;
  standing_ms_ = other.standing_ms_.load();
}

QueueMs Clock::now_ms() const {
  const QueueMs standing = standing_ms_;
  return standing >= 0 ? standing : at_ms_ + (base::boot_ms() - boot_ms_);
}

base::Done Clock::write_down(const std::string& path) const {
  const std::string text =
      std::to_string(now_ms()) + " " + std::to_string(base::wall_seconds()) + "\n";
  return base::replace_file(path, text, 0600, base::Durable::no);
}

std::int64_t Clock::as_wall_s(QueueMs at_ms) const {
  return base::wall_seconds() - (now_ms() - at_ms) / 1000;
}

}  // namespace queue
