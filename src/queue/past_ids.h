// past_ids: the ids of messages that left the queue in the last 24 h, so that a submission that
// comes again after its message was delivered is no second one. Internal to the room. A file of
// rows that is added to without a sync: it outlives us, and who could ask again does not outlive
// the machine either. Limits: the newest 100,000. A row that cannot be read is no row. Not
// thread-safe.
#pragma once

#include <sys/types.h>

#include <deque>
#include <map>
#include <string>

#include "base/file.h"
#include "queue/clock.h"

namespace queue {

class PastIds {
 public:
  void open(const std::string& path, QueueMs now_ms);
  void add(const std::string& id, uid_t uid, QueueMs now_ms);
  bool knows(const std::string& id, uid_t uid, QueueMs now_ms) const;
  std::size_t size() const { return ids_.size(); }

 private:
  struct Past {
    uid_t uid = 0;
    QueueMs at_ms = 0;
  };
  void remember(std::string id, Past past);
  std::map<std::string, Past, std::less<>> ids_{};  // 16 bytes each
  std::deque<std::string> order_{};
  base::Fd file_{};
};

}  // namespace queue
