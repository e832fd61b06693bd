#include "queue/sync_group.h"

#include <unistd.h>

#include <cerrno>

namespace queue {

base::Done SyncGroup::sync() {
  std::unique_lock lock(mutex_);
  // A sync that runs may have begun before our change: the one after it has not.
  const std::uint64_t mine = begun_ + 1;
  while (done_ < mine) {
    if (running_) {
      changed_.wait(lock);
      continue;
    }
    const std::uint64_t round = ++begun_;
    running_ = true;
    lock.unlock();
    int error = 0;
    while (fsync(folder_) != 0) {
      error = errno;
      if (error != EINTR) break;
      error = 0;
    }
    lock.lock();
    running_ = false;
    done_ = round;
    if (error != 0) {
      failed_ = round;
      last_error_ = error;
    }
    changed_.notify_all();
  }
  if (failed_ < mine) return base::done();
  return base::failure_errno(base::Fault::io, "cannot sync the spool folder", last_error_);
}

std::uint64_t SyncGroup::syncs() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

}  // namespace queue
