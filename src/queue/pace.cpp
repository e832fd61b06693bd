#include "queue/pace.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "base/text.h"

namespace queue {

namespace {

constexpr QueueMs minute_ms = 60'000;
constexpr QueueMs day_step_ms = 5 * minute_ms;
constexpr QueueMs never = INT64_MAX;

constexpr std::int64_t first_pause_s = 60;
constexpr std::int64_t longest_pause_s = 3600;
constexpr std::int64_t longest_asked_s = 86400;
constexpr QueueMs quiet_ms = 10 * minute_ms;  // after which the rate grows by half
constexpr double lowest_factor = 1.0 / 32;
constexpr std::int64_t rate_of_the_unlimited = 60;  // that a complaint halves

std::int64_t part_of(std::int64_t limit, double part) {
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::floor(static_cast<double>(limit) * part + 1e-9)));
}

}  // namespace

double Pace::factor(QueueMs now_ms) const {
  if (factor_ >= 1.0) return 1.0;
  const double quiet = static_cast<double>(std::max<QueueMs>(0, now_ms - slowed_at_)) / quiet_ms;
  return std::min(1.0, factor_ * std::pow(1.5, std::floor(quiet)));
}

std::int64_t Pace::per_minute(QueueMs now_ms) const {
  const double slower = factor(now_ms);
  std::int64_t whole = limits_.messages_per_minute;
  if (whole <= 0) {
    if (slower >= 1.0) return 0;
    whole = rate_of_the_unlimited;
  }
  return part_of(whole, limits_.share * slower);
}

std::int64_t Pace::per_day(uid_t uid) const {
  if (limits_.recipients_per_day <= 0) return 0;
  const double part = uid == 0 ? 1.0 : 1.0 - limits_.kept_for_root;
  return part_of(limits_.recipients_per_day, limits_.share * part);
}

QueueMs Pace::minute_free_at(QueueMs now_ms) {
  const std::int64_t limit = per_minute(now_ms);
  while (!ended_.empty() && ended_.front() <= now_ms - minute_ms) ended_.pop_front();
  if (limit == 0) return now_ms;
  const std::size_t most = static_cast<std::size_t>(limit) - 1;  // beside the new one
  if (ended_.size() + under_way_ <= most) return now_ms;
  const std::size_t too_many = ended_.size() + under_way_ - most;
  return too_many <= ended_.size() ? ended_[too_many - 1] + minute_ms : never;
}

QueueMs Pace::day_free_at(uid_t uid, std::size_t recipients, QueueMs now_ms) {
  const std::int64_t limit = per_day(uid);
  if (limit == 0) return now_ms;
  const auto whole = static_cast<std::uint64_t>(limit);
  const std::uint64_t needed = std::min<std::uint64_t>(recipients, whole);
  day_.advance(now_ms / day_step_ms);
  if (day_.sum() + recipients_under_way_ + needed <= whole) return now_ms;
  if (recipients_under_way_ + needed > whole) return never;
  const std::uint64_t most = whole - needed - recipients_under_way_;
  return std::max(now_ms + 1, day_.step_of_at_most(most) * day_step_ms);
}

QueueMs Pace::hour_free_at(uid_t uid, QueueMs now_ms) {
  if (limits_.user_messages_per_hour <= 0 || uid == 0) return now_ms;
  const auto found = hours_.find(uid);
  if (found == hours_.end()) return now_ms;
  const auto most = static_cast<std::uint64_t>(limits_.user_messages_per_hour) - 1;
  found->second.advance(now_ms / minute_ms);
  if (found->second.sum() <= most) return now_ms;
  return std::max(now_ms + 1, found->second.step_of_at_most(most) * minute_ms);
}

QueueMs Pace::earliest(uid_t uid, std::size_t recipients, QueueMs now_ms) {
  return std::max({now_ms, paused_until_, minute_free_at(now_ms),
                   day_free_at(uid, recipients, now_ms), hour_free_at(uid, now_ms)});
}

void Pace::forget_idle(std::int64_t hour_step) {
  for (auto one = hours_.begin(); one != hours_.end();) {
    one->second.advance(hour_step);
    one = one->second.sum() == 0 ? hours_.erase(one) : std::next(one);
  }
}

void Pace::start(uid_t uid, std::size_t recipients, QueueMs now_ms) {
  ++under_way_;
  recipients_under_way_ += recipients;
  if (limits_.user_messages_per_hour <= 0 || uid == 0) return;
  if (hours_.size() >= uid_limit) forget_idle(now_ms / minute_ms);
  hours_[uid].add(now_ms / minute_ms, 1);
}

void Pace::end(std::size_t recipients, std::size_t counted, QueueMs now_ms) {
  if (under_way_ > 0) --under_way_;
  recipients_under_way_ -= std::min(recipients, recipients_under_way_);
  if (counted == 0) return;
  ended_.push_back(now_ms);
  // Without a limit nothing asks for them; they must not pile up.
  while (ended_.front() <= now_ms - minute_ms) ended_.pop_front();
  day_.add(now_ms / day_step_ms, static_cast<std::uint32_t>(counted));
}

void Pace::slow_down(std::int64_t asked_s, QueueMs now_ms) {
  const std::int64_t asked = std::min(asked_s, longest_asked_s);
  if (now_ms < paused_until_) {
    // One of several that were under way together: it has been heard.
    paused_until_ = std::max(paused_until_, now_ms + asked * 1000);
    return;
  }
  const bool again = complaints_ > 0 && now_ms - paused_until_ < quiet_ms;
  complaints_ = again ? std::min(complaints_ + 1, 16U) : 1;
  const std::int64_t own = std::min(first_pause_s << (complaints_ - 1), longest_pause_s);
  paused_until_ = now_ms + (asked > 0 ? asked : own) * 1000;
  factor_ = std::max(lowest_factor, factor(now_ms) / 2);
  slowed_at_ = paused_until_;
}

std::string Pace::text() const {
  std::string out;
  for (std::int64_t back = Ring<day_steps>::length - 1; back >= 0; --back) {
    const std::int64_t step = day_.newest() - back;
    if (step < 0 || day_.count(step) == 0) continue;
    if (!out.empty()) out += ' ';
    out += std::to_string(step) + ":" + std::to_string(day_.count(step));
  }
  return out;
}

base::Done Pace::restore(std::string_view text, QueueMs now_ms) {
  const std::int64_t newest = now_ms / day_step_ms;
  Ring<day_steps> day;
  for (const std::string& word : base::words(text)) {
    const std::vector<std::string_view> parts = base::split(word, ':');
    std::int64_t step = 0;
    std::int64_t count = 0;
    if (parts.size() != 2 || !base::parse_number(parts[0], 0, INT64_MAX / 2, step) ||
        !base::parse_number(parts[1], 0, INT32_MAX, count)) {
      return base::failure(base::Fault::io, "the record of what was sent is damaged");
    }
    // Of a time to come, after a restored backup: as if it were now.
    step = std::min(step, newest);
    if (step > newest - Ring<day_steps>::length) {
      day.add(std::max(step, day.newest()), static_cast<std::uint32_t>(count));
    }
  }
  day_ = day;
  return base::done();
}

}  // namespace queue
