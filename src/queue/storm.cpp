#include "queue/storm.h"

#include <algorithm>
#include <iterator>

namespace queue {

bool Storm::may_tell(const std::string& key, const std::string& id, QueueMs now_ms) {
  const auto [found, anew] = keys_.try_emplace(key);
  One& one = found->second;
  if (anew || (one.waiting.empty() && now_ms - one.told_ms >= interval_ms_)) {
    one.told_ms = now_ms;
    return true;
  }
  one.waiting.insert(id);
  return false;
}

bool Storm::may_tell_alone(const std::string& key, QueueMs now_ms) {
  const auto [found, anew] = keys_.try_emplace(key);
  if (!anew && now_ms - found->second.told_ms < interval_ms_) return false;
  found->second.told_ms = now_ms;
  return true;
}

std::vector<std::vector<std::string>> Storm::due(QueueMs now_ms) {
  std::vector<std::vector<std::string>> out;
  for (auto at = keys_.begin(); at != keys_.end();) {
    One& one = at->second;
    if (now_ms - one.told_ms < interval_ms_) {
      ++at;
    } else if (one.waiting.empty()) {
      at = keys_.erase(at);
    } else {
      const auto count = static_cast<std::ptrdiff_t>(std::min(one.waiting.size(), at_once));
      const auto end = std::next(one.waiting.begin(), count);
      out.emplace_back(one.waiting.begin(), end);
      one.waiting.erase(one.waiting.begin(), end);
      one.told_ms = now_ms;
      ++at;
    }
  }
  return out;
}

}  // namespace queue
