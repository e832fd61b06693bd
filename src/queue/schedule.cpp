#include "queue/schedule.h"

#include <algorithm>

namespace queue {

void Schedule::add(const Waiting& waiting) {
  const bool anew =
      lines_[waiting.account].lanes[waiting.uid].emplace(waiting.due_ms, waiting.slot).second;
  if (anew) ++size_;
  next_look_ms_ = std::min(next_look_ms_, waiting.due_ms);
}

bool Schedule::remove(const Waiting& waiting) {
  const auto line = lines_.find(waiting.account);
  if (line == lines_.end()) return false;
  const auto lane = line->second.lanes.find(waiting.uid);
  if (lane == line->second.lanes.end()) return false;
  if (lane->second.erase({waiting.due_ms, waiting.slot}) == 0) return false;
  if (lane->second.empty()) line->second.lanes.erase(lane);
  if (line->second.lanes.empty()) lines_.erase(line);
  --size_;
  return true;
}

// The lanes from the one behind the last that was served, once around.
std::optional<Waiting> Schedule::take_of(std::uint32_t account, Line& line, QueueMs now_ms,
                                         const MayStart& may_start) {
  auto lane = line.lanes.upper_bound(line.last);
  for (std::size_t looked = 0; looked < line.lanes.size(); ++looked, ++lane) {
    if (lane == line.lanes.end()) lane = line.lanes.begin();
    const Order& head = *lane->second.begin();
    const Waiting waiting{head.second, account, lane->first, head.first};
    const QueueMs at_ms = waiting.due_ms > now_ms ? waiting.due_ms : may_start(waiting);
    if (at_ms <= now_ms) {
      line.last = lane->first;
      return waiting;
    }
    next_look_ms_ = std::min(next_look_ms_, at_ms);
  }
  return std::nullopt;
}

std::optional<Waiting> Schedule::take(QueueMs now_ms, const MayStart& may_start) {
  next_look_ms_ = INT64_MAX;
  auto line = lines_.upper_bound(last_);
  for (std::size_t looked = 0; looked < lines_.size(); ++looked, ++line) {
    if (line == lines_.end()) line = lines_.begin();
    const std::optional<Waiting> taken = take_of(line->first, line->second, now_ms, may_start);
    if (!taken) continue;
    last_ = taken->account;
    remove(*taken);
    next_look_ms_ = now_ms;  // there may be more
    return taken;
  }
  return std::nullopt;
}

bool Schedule::more_due(std::uint32_t account, QueueMs now_ms) const {
  const auto line = lines_.find(account);
  if (line == lines_.end()) return false;
  return std::any_of(line->second.lanes.begin(), line->second.lanes.end(),
                     [&](const auto& lane) { return lane.second.begin()->first <= now_ms; });
}

}  // namespace queue
