// desk: all that the queue knows in memory: messages by id, accounts, what each uid uses, and who
// may start when. No files, no threads: its owner locks. Internal to the room. About 250 bytes a
// message.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "queue/format.h"
#include "queue/holds.h"
#include "queue/pace.h"
#include "queue/progress.h"
#include "queue/row.h"
#include "queue/schedule.h"
#include "queue/work.h"

namespace queue {

struct Id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator<(const Id& other) const {
    return high != other.high ? high < other.high : low < other.low;
  }
  static Id of(std::string_view hex);
  std::string hex() const;
};

// Who is tried although it is not due.
enum class Force : std::uint8_t { none, waiting, all };

struct Entry {
  Id id{};
  QueueMs at_ms = 0;
  QueueMs due_ms = 0;
  QueueMs waited_ms = 0;  // at base_ms
  QueueMs base_ms = 0;
  QueueMs held_at_ms = 0;
  std::uint64_t bytes = 0;
  uid_t uid = 0;
  std::uint32_t account = 0;
  std::uint32_t recipients = 0;  // that wait or are unknown
  Hold hold = Hold::none;
  Force force = Force::none;
  bool live = false;    // the place is taken
  bool active = false;  // a thread has it
  bool scheduled = false;
  bool unknown = false;       // some final reply was lost
  bool way_failed = false;    // its last attempt did not reach the provider
  bool warned = false;        // of its delay
  bool to_summarise = false;  // refused; its sender is told with others
};

struct AccountState {
  AccountFacts facts{};
  bool known = false;  // the configuration has it
  Pace pace{};
  Holds holds{};
  QueueMs notice_ms = 0;  // when somebody was told last that it is held
  QueueMs probe_ms = 0;   // while held or unreachable: the next try
  unsigned failing = 0;   // attempts in a row that did not reach the provider
  base::Error last_failure{};
  std::size_t active = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

struct Use {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

constexpr std::uint32_t homeless = 0;  // the account without a name

class Desk {
 public:
  Desk(const Limits& limits, std::size_t workers);

  // Accounts.
  std::uint32_t account_of(const std::string& name);
  AccountState& account(std::uint32_t index) { return accounts_[index]; }
  const AccountState& account(std::uint32_t index) const { return accounts_[index]; }
  std::size_t accounts() const { return accounts_.size(); }
  void set_accounts(std::vector<AccountFacts> accounts, QueueMs now_ms);

  // Room: taken before a message is written, given back when it was not.
  base::Done reserve(std::uint32_t account, uid_t uid, std::uint64_t bytes);
  void give_back(std::uint32_t account, uid_t uid, std::uint64_t bytes);

  // Messages. add() counts nothing: reserve() or adopt() did.
  void adopt(std::uint32_t account, uid_t uid, std::uint64_t bytes);
  Slot add(const Birth& birth, std::uint32_t account, const Progress& progress);
  std::optional<Slot> find(std::string_view id) const;
  Entry& entry(Slot slot) { return entries_[slot]; }
  const Entry& entry(Slot slot) const { return entries_[slot]; }
  void forget(Slot slot);
  // After its file was read or written: when it is due, and into the schedule if nobody has it.
  void refresh(Slot slot, const Progress& progress);
  void schedule(Slot slot);
  void unschedule(Slot slot);
  void move(Slot slot, std::uint32_t account);
  std::size_t size() const { return by_id_.size(); }
  template <typename Visit>
  void each(const Visit& visit) {
    for (const auto& [id, slot] : by_id_) visit(slot, entries_[slot]);
  }
  template <typename Visit>
  void each(const Visit& visit) const {
    for (const auto& [id, slot] : by_id_) visit(slot, entries_[slot]);
  }

  // The next that may start; it is active, and its account's pace counts it.
  std::optional<Slot> take(QueueMs now_ms);
  QueueMs next_look_ms() const { return schedule_.next_look_ms(); }
  QueueMs may_start(std::uint32_t account, uid_t uid, std::size_t recipients, QueueMs now_ms);
  void start(std::uint32_t account, uid_t uid, std::size_t recipients, QueueMs now_ms);
  void end(std::uint32_t account, std::size_t recipients, std::size_t counted, QueueMs now_ms);
  bool more_due(std::uint32_t account, QueueMs now_ms) const {
    return schedule_.more_due(account, now_ms);
  }
  // Its age without the holds of its account.
  QueueMs age_ms(const Entry& entry, QueueMs now_ms) const;
  // All of the account that wait for the way there to work again are due.
  void wake(std::uint32_t account, QueueMs now_ms, bool all);
  Released sum_of(std::uint32_t account, QueueMs now_ms) const;

 private:
  bool others_wait(std::uint32_t account) const;
  Limits limits_;
  std::size_t workers_;
  std::size_t active_ = 0;
  Use all_{};
  std::map<uid_t, Use> uses_{};
  std::deque<AccountState> accounts_{};
  std::map<std::string, std::uint32_t> names_{};
  std::vector<Entry> entries_{};
  std::vector<Slot> free_{};
  std::map<Id, Slot> by_id_{};
  Schedule schedule_{};
};

}  // namespace queue
