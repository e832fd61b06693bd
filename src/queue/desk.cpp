#include "queue/desk.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace queue {

namespace {

constexpr std::size_t usual_connections = 2;
constexpr unsigned failing_limit = 3;  // attempts that fail on the way, before one tries for all
constexpr QueueMs never = INT64_MAX;

std::uint64_t half(std::string_view hex) {
  std::uint64_t out = 0;
  for (const char c : hex)
    out = out << 4 | static_cast<std::uint64_t>(base::is_digit(c) ? c - '0' : c - 'a' + 10);
  return out;
}

base::Error full(const std::string& cause) {
  return base::failure(base::Fault::unavailable, cause, "try again later; see: mailq");
}

}  // namespace

Id Id::of(std::string_view hex) {
  return {half(hex.substr(0, 16)), half(hex.substr(16, 16))};
}

std::string Id::hex() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint64_t word : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) out += digits[(word >> shift) & 15];
  }
  return out;
}

Desk::Desk(const Limits& limits, std::size_t workers)
    : limits_(limits), workers_(std::max<std::size_t>(workers, 1)) {
  account_of("");
}

std::uint32_t Desk::account_of(const std::string& name) {
  const auto [found, anew] = names_.try_emplace(name, static_cast<std::uint32_t>(accounts_.size()));
  if (anew) accounts_.emplace_back().facts.name = name;
  return found->second;
}

void Desk::set_accounts(std::vector<AccountFacts> accounts, QueueMs now_ms) {
  for (AccountState& one : accounts_) one.known = false;
  const bool any = !accounts.empty();
  for (AccountFacts& facts : accounts) {
    AccountState& one = accounts_[account_of(facts.name)];
    one.known = true;
    one.pace.set_limits(facts.pace);
    one.facts = std::move(facts);
  }
  // What had no account asks again.
  AccountState& none = accounts_[homeless];
  none.known = any;
  none.holds.end(now_ms);
  if (any) wake(homeless, now_ms, true);
}

base::Done Desk::reserve(std::uint32_t account, uid_t uid, std::uint64_t bytes) {
  Use& use = uses_[uid];
  if (all_.messages >= limits_.messages || all_.bytes + bytes > limits_.bytes)
    return full("the mail queue is full (" + std::to_string(all_.messages) + " messages)");
  const bool user_full =
      use.messages >= limits_.user_messages || use.bytes + bytes > limits_.user_bytes;
  if (uid != 0 && user_full)
    return full("you have too much mail waiting (" + std::to_string(use.messages) + " messages)");
  const AccountState& none = accounts_[homeless];
  if (account == homeless &&
      (none.messages >= limits_.homeless_messages || none.bytes + bytes > limits_.homeless_bytes)) {
    return full("no account, and too much mail waits for one");
  }
  adopt(account, uid, bytes);
  return base::done();
}

void Desk::adopt(std::uint32_t account, uid_t uid, std::uint64_t bytes) {
  Use& use = uses_[uid];
  AccountState& one = accounts_[account];
  ++all_.messages, ++use.messages, ++one.messages;
  all_.bytes += bytes, use.bytes += bytes, one.bytes += bytes;
}

void Desk::give_back(std::uint32_t account, uid_t uid, std::uint64_t bytes) {
  Use& use = uses_[uid];
  AccountState& one = accounts_[account];
  --all_.messages, --use.messages, --one.messages;
  all_.bytes -= bytes, use.bytes -= bytes, one.bytes -= bytes;
  if (use.messages == 0) uses_.erase(uid);
}

Slot Desk::add(const Birth& birth, std::uint32_t account, const Progress& progress) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(entries_.size());
    entries_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[slot] = Entry{};
  entry.live = true;
  entry.id = Id::of(birth.id);
  entry.at_ms = birth.at_ms;
  entry.bytes = birth.content_bytes;
  entry.uid = birth.uid;
  entry.account = account;
  by_id_.emplace(entry.id, slot);
  refresh(slot, progress);
  return slot;
}

std::optional<Slot> Desk::find(std::string_view id) const {
  if (!is_message_id(id)) return std::nullopt;
  const auto found = by_id_.find(Id::of(id));
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

void Desk::forget(Slot slot) {
  Entry& entry = entries_[slot];
  unschedule(slot);
  give_back(entry.account, entry.uid, entry.bytes);
  by_id_.erase(entry.id);
  entry = Entry{};
  free_.push_back(slot);
}

void Desk::refresh(Slot slot, const Progress& progress) {
  unschedule(slot);
  Entry& entry = entries_[slot];
  entry.due_ms = progress.due_ms();
  entry.waited_ms = progress.waited_ms;
  entry.base_ms = progress.at_ms;
  entry.hold = progress.hold;
  entry.held_at_ms = progress.held_at_ms;
  entry.warned = progress.warned;
  entry.unknown = progress.count(State::unknown) > 0;
  entry.recipients =
      static_cast<std::uint32_t>(progress.count(State::waiting) + progress.count(State::unknown));
  schedule(slot);
}

void Desk::schedule(Slot slot) {
  Entry& entry = entries_[slot];
  if (entry.scheduled || entry.active || entry.to_summarise || entry.hold != Hold::none) return;
  schedule_.add({slot, entry.account, entry.uid, entry.due_ms});
  entry.scheduled = true;
}

void Desk::unschedule(Slot slot) {
  Entry& entry = entries_[slot];
  if (!entry.scheduled) return;
  schedule_.remove({slot, entry.account, entry.uid, entry.due_ms});
  entry.scheduled = false;
}

void Desk::move(Slot slot, std::uint32_t account) {
  Entry& entry = entries_[slot];
  unschedule(slot);
  give_back(entry.account, entry.uid, entry.bytes);
  entry.account = account;
  adopt(account, entry.uid, entry.bytes);
}

bool Desk::others_wait(std::uint32_t account) const {
  for (std::uint32_t other = 0; other < accounts_.size(); ++other) {
    const AccountState& one = accounts_[other];
    if (other != account && one.messages > one.active && !one.holds.held()) return true;
  }
  return false;
}

QueueMs Desk::may_start(std::uint32_t account, uid_t uid, std::size_t recipients, QueueMs now_ms) {
  AccountState& one = accounts_[account];
  if (!one.known || one.facts.broken) return never;
  if (one.holds.held() || one.failing >= failing_limit) {
    // One at a time tries for all.
    if (one.active > 0) return never;
    if (one.probe_ms > now_ms) return one.probe_ms;
  }
  const auto most = one.facts.max_connections > 0
                        ? static_cast<std::size_t>(one.facts.max_connections)
                        : usual_connections;
  if (one.active >= most) return never;
  // The last worker is not for who has one already, while others wait.
  if (one.active > 0 && active_ + 1 >= workers_ && others_wait(account)) return never;
  return one.pace.earliest(uid, recipients, now_ms);
}

void Desk::start(std::uint32_t account, uid_t uid, std::size_t recipients, QueueMs now_ms) {
  AccountState& one = accounts_[account];
  ++active_, ++one.active;
  one.pace.start(uid, recipients, now_ms);
}

void Desk::end(std::uint32_t account, std::size_t recipients, std::size_t counted, QueueMs now_ms) {
  AccountState& one = accounts_[account];
  --active_, --one.active;
  one.pace.end(recipients, counted, now_ms);
}

std::optional<Slot> Desk::take(QueueMs now_ms) {
  const std::optional<Waiting> taken = schedule_.take(now_ms, [&](const Waiting& waiting) {
    return may_start(waiting.account, waiting.uid, entries_[waiting.slot].recipients, now_ms);
  });
  if (!taken) return std::nullopt;
  Entry& entry = entries_[taken->slot];
  entry.scheduled = false;
  entry.active = true;
  start(entry.account, entry.uid, entry.recipients, now_ms);
  return taken->slot;
}

QueueMs Desk::age_ms(const Entry& entry, QueueMs now_ms) const {
  const QueueMs since = std::max<QueueMs>(0, now_ms - entry.base_ms);
  const QueueMs held = accounts_[entry.account].holds.within(entry.base_ms, now_ms);
  return entry.waited_ms + std::max<QueueMs>(0, since - held);
}

void Desk::wake(std::uint32_t account, QueueMs now_ms, bool all) {
  for (const auto& [id, slot] : by_id_) {
    Entry& entry = entries_[slot];
    if (entry.account != account || entry.active || entry.hold != Hold::none) continue;
    if (entry.due_ms <= now_ms || (!all && !entry.way_failed) || entry.unknown) continue;
    unschedule(slot);
    entry.due_ms = now_ms;
    entry.force = Force::waiting;
    schedule(slot);
  }
}

Released Desk::sum_of(std::uint32_t account, QueueMs now_ms) const {
  Released sum;
  for (const auto& [id, slot] : by_id_) {
    const Entry& entry = entries_[slot];
    if (entry.account != account) continue;
    ++sum.messages;
    sum.oldest_s = std::max<std::int64_t>(sum.oldest_s, (now_ms - entry.at_ms) / 1000);
  }
  return sum;
}

}  // namespace queue
