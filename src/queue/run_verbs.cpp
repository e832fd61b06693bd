// What a person may do and see, and what is to be done from time to time.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

namespace {

constexpr QueueMs notice_every_ms = QueueMs{86400} * 1000;
constexpr std::size_t tidied_at_once = 1000;

base::Error no_such(const std::string& id) {
  return base::failure(base::Fault::usage, "no message " + base::clean(id, 40) + " in the queue",
                       "see: mailbearer queue list");
}

std::string why_of(const Progress& progress) {
  if (progress.hold != Hold::none)
    return progress.hold_cause.empty() ? "held by hand" : progress.hold_cause;
  for (std::size_t i = 0; i < progress.recipients.size(); ++i) {
    if (progress.recipients[i].state == State::delivered) continue;
    const base::Error* reply = progress.reply_to(i);
    if (reply != nullptr) return reply->said.empty() ? reply->cause : reply->said;
  }
  return {};
}

}  // namespace

// A message for a thread that is no worker; nobody else has it meanwhile.
base::Result<Held> Queue::Inside::claim(const std::string& id, Whose whose) {
  Slot slot = 0;
  {
    const std::lock_guard lock(mutex_);
    const std::optional<Slot> found = desk_.find(id);
    if (!found || (whose && desk_.entry(*found).uid != *whose)) return no_such(id);
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
  if (!slot || (whose && desk.entry(*slot).uid != *whose)) return no_such(id);
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
  base::Done removed = inside_->spool_.remove(id);
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

Row Queue::Inside::row_of(const Entry& entry, const std::string& account, bool stopped) const {
  Row row;
  row.id = entry.id.hex();
  row.account = account;
  row.uid = entry.uid;
  row.at_s = clock_.as_wall_s(entry.at_ms);
  row.bytes = entry.bytes;
  row.active = entry.active;
  row.hold = entry.hold;
  if (entry.hold == Hold::none && !stopped && !entry.to_summarise)
    row.next_in_s = std::max<std::int64_t>(0, (entry.due_ms - now_ms()) / 1000);
  base::Result<Stored> stored = spool_.load(row.id);
  if (!stored) {
    row.why = base::clean(stored.error().cause);
    return row;
  }
  Progress& progress = stored->progress;
  if (!entry.active) interrupt(progress);
  row.at_s = stored->birth.at_wall_s;
  row.bounce = stored->birth.bounce;
  row.attempts = progress.attempts;
  row.why = base::clean(why_of(progress));
  const mail::Envelope& envelope =
      progress.resolution ? progress.resolution->envelope : stored->arrival.envelope;
  row.sender = base::clean(envelope.sender.text(), 320);
  for (std::size_t i = 0; i < envelope.recipients.size() && i < progress.recipients.size(); ++i) {
    RecipientRow one;
    one.address = base::clean(envelope.recipients[i].mailbox.text(), 320);
    one.state = progress.recipients[i].state;
    if (const base::Error* reply = progress.reply_to(i)) one.error = *reply;
    row.recipients.push_back(std::move(one));
  }
  return row;
}

base::Result<Row> Queue::show(const std::string& id, Whose whose) const {
  Entry entry;
  std::string account;
  bool stopped = false;
  {
    const std::lock_guard lock(inside_->mutex_);
    const Desk& desk = inside_->desk_;
    const std::optional<Slot> slot = desk.find(id);
    if (!slot || (whose && desk.entry(*slot).uid != *whose)) return no_such(id);
    entry = desk.entry(*slot);
    const AccountState& state = desk.account(entry.account);
    account = state.facts.name;
    stopped = !state.known || state.holds.held();
  }
  return inside_->row_of(entry, account, stopped);
}

void Queue::list(Whose whose, const std::function<bool(const Row& row)>& take) const {
  std::vector<std::pair<QueueMs, Id>> all;
  {
    const std::lock_guard lock(inside_->mutex_);
    const Desk& desk = inside_->desk_;
    desk.each([&](Slot, const Entry& entry) {
      if (!whose || entry.uid == *whose) all.emplace_back(entry.at_ms, entry.id);
    });
  }
  std::sort(all.begin(), all.end());
  for (const auto& [at_ms, id] : all) {
    const base::Result<Row> row = show(id.hex(), whose);
    if (row && !take(*row)) return;  // one that left meanwhile is no row
  }
}

Status Queue::status() const {
  const std::lock_guard lock(inside_->mutex_);
  const Desk& desk = inside_->desk_;
  const QueueMs now = inside_->now_ms();
  Status status;
  status.unwritable = inside_->unwritable_;
  for (std::uint32_t i = 0; i < desk.accounts(); ++i) {
    const AccountState& state = desk.account(i);
    AccountRow row;
    row.name = state.facts.name;
    row.messages = state.messages;
    row.bytes = state.bytes;
    row.active = state.active;
    row.held = state.holds.held();
    row.held_s = row.held ? (now - state.holds.since_ms()) / 1000 : 0;
    row.why = row.held ? state.holds.why() : state.last_failure;
    const QueueMs until =
        std::max(state.pace.paused_until(), state.failing > 2 ? state.probe_ms : 0);
    row.paused_s = std::max<std::int64_t>(0, (until - now) / 1000);
    status.accounts.push_back(std::move(row));
  }
  desk.each([&](Slot, const Entry& entry) {
    const std::int64_t age = (now - entry.at_ms) / 1000;
    AccountRow& row = status.accounts[entry.account];
    ++status.messages;
    status.bytes += entry.bytes;
    status.held += entry.hold != Hold::none ? 1 : 0;
    status.unknown += entry.unknown ? 1 : 0;
    status.oldest_s = std::max(status.oldest_s, age);
    row.oldest_s = std::max(row.oldest_s, age);
  });
  return status;
}

Queue::Inside::Chores Queue::Inside::chores_locked() {
  Chores chores;
  const QueueMs now = now_ms();
  for (std::uint32_t i = 0; i < desk_.accounts(); ++i) {
    AccountState& state = desk_.account(i);
    const bool due =
        state.holds.held() && state.messages > 0 && now - state.notice_ms >= notice_every_ms;
    if (!due) continue;
    state.notice_ms = now;
    const Released sum = desk_.sum_of(i, now);
    chores.events.push_back({Event::Kind::account_held, "", state.facts.name,
                             state.holds.why().cause, state.holds.why(), sum.messages,
                             sum.oldest_s});
  }
  desk_.each([&](Slot, const Entry& entry) {
    const std::size_t many = chores.overdue.size() + chores.late.size();
    if (entry.active || entry.to_summarise || many >= tidied_at_once) return;
    const AccountState& state = desk_.account(entry.account);
    const Patience& patience = state.facts.patience;
    const QueueMs age = desk_.age_ms(entry, now);
    QueueMs held = 0;
    if (entry.hold != Hold::none)
      held = now - entry.held_at_ms;
    else if (state.holds.held())
      held = now - std::max(entry.at_ms, state.holds.since_ms());
    const bool lost = entry.way_failed && state.failing > 0 && entry.hold == Hold::none &&
                      age / 1000 >= patience.retry_for_s;
    if (held / 1000 >= patience.hold_for_s || lost) {
      chores.overdue.push_back(entry.id.hex());
    } else if (held == 0 && !entry.warned && !entry.unknown && patience.warn_after_s > 0 &&
               age / 1000 >= patience.warn_after_s && state.known) {
      chores.late.push_back(entry.id.hex());
    }
  });
  chores.summaries = storm_.due(now);
  return chores;
}

// Held for so long, or unreachable: its sender hears of it; what nobody can be told of goes.
void Queue::Inside::give_up(const std::string& id) {
  base::Result<Held> held = claim(id, std::nullopt);
  if (!held) return;
  if ((*held)->stored.progress.hold == Hold::undeliverable) {
    const std::string cause = (*held)->stored.progress.hold_cause;
    if (!spool_.remove(id)) {
      put_back(*held);
      return;
    }
    forget(*held);
    tell({Event::Kind::dropped, id, "", cause, {}, 1});
    return;
  }
  base::Error error = base::failure(base::Fault::unavailable,
                                    "held too long: " + (*held)->stored.progress.hold_cause);
  {
    const std::lock_guard lock(mutex_);
    const AccountState& state = desk_.account(desk_.entry((*held)->slot).account);
    if (state.holds.held())
      error = state.holds.why();
    else if (state.failing > 0)
      error = state.last_failure;
  }
  refuse_all(*held, error);
}

void Queue::tidy() {
  Inside& inside = *inside_;
  Inside::Chores chores;
  {
    const std::lock_guard lock(inside.mutex_);
    chores = inside.chores_locked();
  }
  for (Event& event : chores.events) inside.tell(std::move(event));
  for (const std::vector<std::string>& ids : chores.summaries) inside.summarise(ids);
  for (const std::string& id : chores.overdue) inside.give_up(id);
  for (const std::string& id : chores.late) {
    base::Result<Held> held = inside.claim(id, std::nullopt);
    if (!held) continue;
    inside.warn(*held);
    const base::Done written = inside.write_notes(**held);
    if (written)
      inside.put_back(*held);
    else
      inside.keep_unsettled(*held, written.error());
  }
  inside.spool_.remove_debris();
  inside.clock_.write_down(inside.spool_.path("clock")).ok();
  inside.save_accounts();
}

}  // namespace queue
