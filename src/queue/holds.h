// holds: when an account needed a person, so that its mail does not age meanwhile. Internal to the
// room. Pure; not thread-safe. Units: milliseconds of queue time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "queue/clock.h"
#include "queue/pack.h"

namespace queue {

class Holds {
 public:
  bool held() const { return held_; }
  QueueMs since_ms() const { return since_ms_; }
  const base::Error& why() const { return why_; }
  void begin(QueueMs now_ms, base::Error why);  // while held: only the reason is new
  void end(QueueMs now_ms);
  // How long of [from, now] it was held.
  QueueMs within(QueueMs from_ms, QueueMs now_ms) const;

  void pack(Pack& pack) const;
  void unpack(Unpack& unpack);

 private:
  static constexpr std::size_t most = 256;  // past holds that are remembered
  bool held_ = false;
  QueueMs since_ms_ = 0;
  base::Error why_{};
  std::vector<std::pair<QueueMs, QueueMs>> past_{};
};

}  // namespace queue
