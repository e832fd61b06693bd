// What a person may do with messages and accounts.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

base::Error no_such_message(const std::string& id) {
  return base::failure(base::Fault::usage, "no message " + base::clean(id, 40) + " in the queue",
                       "see: mailbearer queue list");
}

// A message for a thread that is no worker; nobody else has it meanwhile.
base::Result<Held> Queue::Inside::claim(const std::string& id, Whose whose) {
  Slot slot = 0;
  {
    const std::lock_guard lock(mutex_);
    const std::optional<Slot> found = desk_.find(id);
    if (!found || (whose && desk_.entry(*found).uid != *whose)) return no_such_message(id);
    slot = *found;
    Entry& entry = desk_.entry(slot);
    if (entry.active) {
      return base::failure(base::Fault::unavailable, "message " + id + " is being sent just now",
                           "try again");
    }
    desk_.unschedule(slot);
    entry.active = true;
    entry.to_summarise = false;
  }
  return open_slot(slot);
}

base::Done Queue::Inside::with_note(const std::string& id, Whose whose,
                                    const std::function<std::string(Progress&)>& note) {
  base::Result<Held> held = claim(id, whose);
  if (!held) return std::move(held).error();
  const Progress before = (*held)->stored.progress;
  (*held)->pending = note((*held)->stored.progress);
  base::Done written = write_notes(**held);
  if (!written) (*held)->stored.progress = before;
  put_back(*held);
  return written;
}

base::Done Queue::hold(const std::string& id, Whose whose) {
  return inside_->with_note(id, whose, [this](Progress& progress) {
    const Holding holding{inside_->now_ms(), progress.waited_ms, Hold::person, "held by hand"};
    return note_hold(progress, holding);
  });
}

base::Done Queue::release(const std::string& id, Whose whose) {
  return inside_->with_note(id, whose, [this](Progress& progress) {
    return note_hold(progress, {inside_->now_ms(), progress.waited_ms, Hold::none, {}});
  });
}

base::Done Queue::retry(const std::string& id, Whose whose) {
  const std::lock_guard lock(inside_->mutex_);
  Desk& desk = inside_->desk_;
  const std::optional<Slot> slot = desk.find(id);
  if (!slot || (whose && desk.entry(*slot).uid != *whose)) return no_such_message(id);
  Entry& entry = desk.entry(*slot);
  if (entry.hold != Hold::none)
    return base::failure(base::Fault::usage, "message " + id + " is held",
                         "run: mailbearer queue release " + id);
  if (entry.active) return base::done();
  desk.unschedule(*slot);
  entry.force = Force::all;
  entry.due_ms = inside_->now_ms();
  desk.schedule(*slot);
  desk.account(entry.account).probe_ms = 0;
  inside_->changed_.notify_all();
  return base::done();
}

std::uint64_t Queue::retry_all(Whose whose, const std::string& account) {
  const std::lock_guard lock(inside_->mutex_);
  Desk& desk = inside_->desk_;
  std::uint64_t count = 0;
  desk.each([&](Slot slot, Entry& entry) {
    const bool meant = account.empty() || desk.account(entry.account).facts.name == account;
    if (!meant || entry.active || entry.hold != Hold::none || (whose && entry.uid != *whose))
      return;
    desk.unschedule(slot);
    // What may have been delivered keeps its own, slow, time.
    if (!entry.unknown) {
      entry.force = Force::waiting;
      entry.due_ms = inside_->now_ms();
      ++count;
    }
    desk.schedule(slot);
    desk.account(entry.account).probe_ms = 0;
  });
  inside_->changed_.notify_all();
  return count;
}

base::Done Queue::remove(const std::string& id, Whose whose) {
  base::Result<Held> held = inside_->claim(id, whose);
  if (!held) return std::move(held).error();
  base::Done removed = inside_->remove_file((*held)->stored.birth);
  if (removed)
    inside_->forget(*held);
  else
    inside_->put_back(*held);
  return removed;
}

Released Queue::release_account(const std::string& account) {
  Released sum;
  bool held = false;
  {
    const std::lock_guard lock(inside_->mutex_);
    Desk& desk = inside_->desk_;
    const std::uint32_t index = desk.account_of(account);
    const QueueMs now = inside_->now_ms();
    AccountState& state = desk.account(index);
    held = state.holds.held();
    state.holds.end(now);
    state.failing = 0;
    state.probe_ms = 0;
    sum = desk.sum_of(index, now);
    desk.wake(index, now, true);
    inside_->changed_.notify_all();
  }
  if (held) {
    inside_->tell({Event::Kind::account_freed, "", account, "", {}, sum.messages, sum.oldest_s});
  }
  return sum;
}

}  // namespace queue
