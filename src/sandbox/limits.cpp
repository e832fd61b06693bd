#include "sandbox/limits.h"

namespace sandbox {

namespace {
constexpr std::int64_t minute_ms = 60'000;
}

void Limits::set(std::int64_t messages_per_minute, std::int64_t connections) {
  const std::lock_guard lock(mutex_);
  messages_ = messages_per_minute;
  connections_ = connections;
}

void Limits::enter(const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  ++open_[mailbox];
}

bool Limits::enter_at_most(const std::string& mailbox, std::int64_t limit) {
  const std::lock_guard lock(mutex_);
  std::int64_t& open = open_[mailbox];
  if (limit > 0 && open >= limit) return false;
  ++open;
  return true;
}

void Limits::leave(const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(mailbox);
  if (found != open_.end() && --found->second <= 0) open_.erase(found);
}

bool Limits::too_many_connections(const std::string& mailbox) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(mailbox);
  return connections_ > 0 && found != open_.end() && found->second > connections_;
}

bool Limits::take_message(const std::string& mailbox, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (messages_ <= 0) return true;
  std::deque<std::int64_t>& sent = sent_[mailbox];
  while (!sent.empty() && sent.front() <= now_ms - minute_ms) sent.pop_front();
  if (static_cast<std::int64_t>(sent.size()) >= messages_) return false;
  sent.push_back(now_ms);
  return true;
}

void Limits::forget_messages() {
  const std::lock_guard lock(mutex_);
  sent_.clear();
}

}  // namespace sandbox
