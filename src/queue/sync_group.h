// sync_group: many threads, one sync of a folder. Who calls sync() returns after a sync that began
// after its call; those that call while one runs share the next. Thread-safe. Errors: Fault::io,
// for all that shared it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/result.h"

namespace queue {

class SyncGroup {
 public:
  explicit SyncGroup(int folder) : folder_(folder) {}
  base::Done sync();
  std::uint64_t syncs() const;

 private:
  const int folder_;
  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  std::uint64_t begun_ = 0;  // rounds
  std::uint64_t done_ = 0;
  bool running_ = false;
  int last_error_ = 0;
  std::uint64_t failed_ = 0;  // the last round that failed
};

}  // namespace queue
