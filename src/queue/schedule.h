// schedule: which message is next. Lanes: one for each account and uid, each in the order of what
// is due; accounts take turns, and the uids of an account take turns, so that neither a slow
// account nor a busy site holds others up. Pure: the clock is brought by the caller. Not
// thread-safe; its owner locks. Costs: O(log n) a message, and one look at each lane's head to
// choose.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "queue/clock.h"

namespace queue {

using Slot = std::uint32_t;  // a message, by its place in the index

struct Waiting {
  Slot slot = 0;
  std::uint32_t account = 0;
  uid_t uid = 0;
  QueueMs due_ms = 0;
};

class Schedule {
 public:
  void add(const Waiting& waiting);
  // Takes it out; false: it was not there.
  bool remove(const Waiting& waiting);
  // The next that is due and that `may_start` lets go, taken out. `may_start` answers the first
  // moment at which it may; what is due later than now stays, and so do the others of its lane.
  using MayStart = std::function<QueueMs(const Waiting& waiting)>;
  std::optional<Waiting> take(QueueMs now_ms, const MayStart& may_start);
  // When to look again: after a take() that yielded nothing. INT64_MAX: only after a change.
  QueueMs next_look_ms() const { return next_look_ms_; }
  // Whether the account has another that is due.
  bool more_due(std::uint32_t account, QueueMs now_ms) const;
  std::size_t size() const { return size_; }

 private:
  using Order = std::pair<QueueMs, Slot>;
  struct Line {
    std::map<uid_t, std::set<Order>> lanes{};
    uid_t last = 0;  // whose turn it was
  };
  std::optional<Waiting> take_of(std::uint32_t account, Line& line, QueueMs now_ms,
                                 const MayStart& may_start);

  std::map<std::uint32_t, Line> lines_{};
  std::uint32_t last_ = 0;
  QueueMs next_look_ms_ = INT64_MAX;
  std::size_t size_ = 0;
};

}  // namespace queue
