#include "agent/pool.h"

#include <utility>

namespace agent {

Pool::Pool(std::size_t threads) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, i] { work(i); });
  }
}

Pool::~Pool() {
  finish();
}

void Pool::add(Job job) {
  {
    const std::lock_guard<std::mutex> hold(lock_);
    jobs_.push_back(std::move(job));
  }
  more_.notify_one();
}

void Pool::finish() {
  {
    const std::lock_guard<std::mutex> hold(lock_);
    over_ = true;
  }
  more_.notify_all();
  for (std::thread& one : threads_) one.join();
  threads_.clear();
}

void Pool::work(std::size_t thread) {
  for (;;) {
    Job job;
    {
      std::unique_lock<std::mutex> hold(lock_);
      more_.wait(hold, [this] { return over_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job(thread);
  }
}

}  // namespace agent
