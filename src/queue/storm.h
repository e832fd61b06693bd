// storm: at most one bounce an interval for one reader and one cause; what comes meanwhile waits in
// the queue for a summary. Internal to the room. Pure; not thread-safe. What it forgets at a
// restart is found again: messages whose sender was not told.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "queue/clock.h"

namespace queue {

class Storm {
 public:
  explicit Storm(QueueMs interval_ms) : interval_ms_(interval_ms) {}
  // Whether it may be told now. If not, `id` is remembered for the summary.
  bool may_tell(const std::string& key, const std::string& id, QueueMs now_ms);
  // The same for what needs no summary.
  bool may_tell_alone(const std::string& key, QueueMs now_ms);
  // What is to be summarised now: ids that belong together. They are forgotten here.
  std::vector<std::vector<std::string>> due(QueueMs now_ms);

 private:
  static constexpr std::size_t at_once = 200;  // messages in one summary
  struct One {
    QueueMs told_ms = 0;
    std::set<std::string> waiting{};
  };
  QueueMs interval_ms_;
  std::map<std::string, One> keys_{};
};

}  // namespace queue
