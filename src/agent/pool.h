// pool: threads that do one thing after another: what is added is done once, in order of arrival as
// threads come free. Each job is told the number of its thread, so that a thread may keep tools of
// its own. Owns: its threads; the destructor waits for all that was added.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace agent {

class Pool {
 public:
  using Job = std::function<void(std::size_t thread)>;
  explicit Pool(std::size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void add(Job job);
  void finish();  // waits for all of it; nothing may be added any more

 private:
  void work(std::size_t thread);

  std::mutex lock_{};
  std::condition_variable more_{};
  std::deque<Job> jobs_{};
  bool over_ = false;
  std::vector<std::thread> threads_{};
};

}  // namespace agent
