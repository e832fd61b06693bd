// limits: how much a mailbox may send: messages a minute, connections at once.
// Source: facts/providers.md 2.8. Threads: any. 0: no limit.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace sandbox {

class Limits {
 public:
  Limits(std::int64_t messages_per_minute, std::int64_t connections)
      : messages_(messages_per_minute), connections_(connections) {}

  void set(std::int64_t messages_per_minute, std::int64_t connections);
  void enter(const std::string& mailbox);
  void leave(const std::string& mailbox);
  // Enters unless so many are in already; 0: no limit.
  bool enter_at_most(const std::string& mailbox, std::int64_t limit);
  bool too_many_connections(const std::string& mailbox) const;
  // Counts one message now, unless the minute is full: then false.
  bool take_message(const std::string& mailbox, std::int64_t now_ms);
  void forget_messages();

 private:
  mutable std::mutex mutex_;
  std::int64_t messages_;
  std::int64_t connections_;
  std::map<std::string, std::int64_t> open_;
  std::map<std::string, std::deque<std::int64_t>> sent_;
};

}  // namespace sandbox
