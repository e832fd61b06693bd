// The way back: notes, fates, and what follows from them.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

namespace {

constexpr std::size_t room_for_fates_limit = std::size_t{256} * 1024;

Verdicts::One verdict_of(std::uint32_t recipient, const base::Fate& fate, bool expired) {
  Verdicts::One one;
  one.recipient = recipient;
  one.error = fate.error;
  switch (fate.state) {
    case base::Fate::State::delivered:
      one.state = State::delivered;
      break;
    case base::Fate::State::refused:
      one.state = State::refused;
      break;
    case base::Fate::State::unknown:
      one.state = State::unknown;
      break;
    case base::Fate::State::deferred:
      one.state = expired ? State::refused : State::waiting;
      break;
    case base::Fate::State::held:
      break;
  }
  return one;
}

base::Fate::State state_for(const base::Error& error) {
  if (error.fault == base::Fault::outcome_unknown) return base::Fate::State::unknown;
  switch (error.kind) {
    case base::FaultClass::permanent:
      return base::Fate::State::refused;
    case base::FaultClass::temporary:
      return base::Fate::State::deferred;
    case base::FaultClass::hold:
      break;
  }
  return base::Fate::State::held;
}

}  // namespace

base::Done Queue::resolve(Work& work, const std::string& account, const mail::Prepared& prepared) {
  Work::Inside& held = *work.inside;
  Resolution resolution;
  resolution.account = account;
  resolution.envelope = prepared.envelope;
  resolution.envelope.known.clear();
  resolution.header = prepared.message.header.text();
  held.pending += note_resolution(held.stored.progress, std::move(resolution));
  held.recipients.clear();
  for (std::uint32_t i = 0; i < prepared.envelope.recipients.size(); ++i)
    held.recipients.push_back(i);
  work.resolved = true;
  const std::lock_guard lock(inside_->mutex_);
  Desk& desk = inside_->desk_;
  const QueueMs now = inside_->now_ms();
  const std::uint32_t index = desk.account_of(account);
  // The books are right from here on: who leaves, and by which account.
  desk.end(held.account, held.counted_on, 0, now);
  held.on_the_books = false;
  if (index != held.account) desk.move(held.slot, index);
  const bool same = index == held.account;
  held.account = index;
  work.account = account;
  const QueueMs at_ms =
      desk.may_start(index, desk.entry(held.slot).uid, held.recipients.size(), now);
  // Its turn came by its own account and size; only another account's turn is another's.
  if (!same && at_ms > now) {
    held.moved = true;
    base::Error error = base::failure(base::Fault::unavailable, "waits for its turn");
    error.kind = base::FaultClass::temporary;
    return error;
  }
  held.counted_on = held.recipients.size();
  desk.start(index, desk.entry(held.slot).uid, held.counted_on, now);
  held.on_the_books = true;
  return base::done();
}

base::Done Queue::mark(Work& work) {
  return mark(work, 0, work.inside->recipients.size());
}

base::Done Queue::mark(Work& work, std::size_t first, std::size_t count) {
  Work::Inside& held = *work.inside;
  if (held.write_failed)
    return base::failure(base::Fault::io, "the state of the message cannot be written");
  const std::size_t end = std::min(first + count, held.recipients.size());
  Indices some;
  for (std::size_t i = first; i < end; ++i) some.push_back(held.recipients[i]);
  held.pending += note_try(held.stored.progress, inside_->now_ms(), some);
  base::Done written =
      inside_->write_notes(held, std::min(256 + some.size() * 256, room_for_fates_limit));
  if (written)
    held.marked = true;
  else
    held.write_failed = true;
  return written;
}

base::Done Queue::Inside::write_notes(Work::Inside& held, std::size_t more) {
  if (held.pending.empty()) return base::done();
  base::Done written = Spool::add_note(held.stored, held.pending, more);
  if (!written) return written;
  held.pending.clear();
  held.seen_end = held.stored.end;
  return base::done();
}

Settled Queue::settle(Work work, const std::vector<base::Fate>& fates) {
  return inside_->settle(work, fates);
}

Settled Queue::settle(Work work, const base::Error& error) {
  base::Fate fate;
  fate.error = error;
  fate.state = state_for(error);
  return inside_->settle(work, std::vector<base::Fate>(work.inside->recipients.size(), fate));
}

// Nothing was sent: it waits as before, and its file is as before.
void Queue::Inside::postpone(const Held& held, const base::Error& error) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (held->on_the_books) desk_.end(held->account, held->counted_on, 0, now_ms());
    Entry& entry = desk_.entry(held->slot);
    entry.active = false;
    entry.due_ms = now_ms() + 1000;
    desk_.schedule(held->slot);
    first = !unwritable_;
    unwritable_ = true;
    probe_ms_ = now_ms() + 5000;
    changed_.notify_all();
  }
  if (first) tell({Event::Kind::unwritable, held->stored.birth.id, "", error.cause, error, 1});
}

Settled Queue::Inside::settle(Work& work, const std::vector<base::Fate>& fates) {
  const Held held = work.inside;
  Settled settled;
  if (held->write_failed && !held->marked && !fates.empty()) {
    // mark() failed at once, and so nothing was sent.
    postpone(held, fates.front().error);
    settled.next_in_s = 5;
    return settled;
  }
  const QueueMs now = now_ms();
  const Impression impression = impression_of(fates);
  QueueMs age = 0;
  double luck = 0;
  Patience patience;
  std::vector<Event> events;
  {
    const std::lock_guard lock(mutex_);
    luck = chance();
    age = desk_.age_ms(desk_.entry(held->slot), now);
    patience = desk_.account(held->account).facts.patience;
    if (held->on_the_books) {
      desk_.end(held->account, held->counted_on, counted(fates), now);
      held->on_the_books = false;
    }
    if (!held->moved) {
      events = note_impression_locked(held->account, impression);
      desk_.entry(held->slot).way_failed = impression.deferred && !impression.reached;
    }
  }
  for (const Event& event : events) tell(event);
  Progress& progress = held->stored.progress;
  Indices delivered;
  if (held->moved) {
    progress.next_ms = now;  // tried at its turn, nothing has failed
  } else {
    const bool expired = age / 1000 >= patience.retry_for_s;
    Verdicts verdicts;
    for (std::size_t i = 0; i < held->recipients.size(); ++i) {
      base::Fate missing;
      missing.error = base::failure(base::Fault::bug, "a recipient without a fate");
      const base::Fate& fate = i < fates.size() ? fates[i] : missing;
      verdicts.each.push_back(verdict_of(held->recipients[i], fate, expired));
      if (fate.state == base::Fate::State::delivered) delivered.push_back(held->recipients[i]);
    }
    finish_verdicts(*held, verdicts, impression, {now, age, luck});
  }
  const bool whole = progress.finished();
  if (!delivered.empty() && !work.notices_passed_on) tell_of_success(held, delivered);
  base::Done written = whole ? base::done() : write_notes(*held);
  if (!written) {
    keep_unsettled(held, written.error());
    settled.next_in_s = 5;
    return settled;
  }
  conclude(held, settled);
  save_accounts_sometimes();
  return settled;
}

void Queue::Inside::finish_verdicts(Work::Inside& held, Verdicts& verdicts,
                                    const Impression& impression, const Moment& moment) {
  Progress& progress = held.stored.progress;
  const auto any = [&](State state) {
    return std::any_of(verdicts.each.begin(), verdicts.each.end(),
                       [state](const Verdicts::One& one) { return one.state == state; });
  };
  verdicts.at_ms = moment.now_ms;
  verdicts.waited_ms = moment.age_ms;
  verdicts.failures = impression.deferred ? progress.failures + 1 : progress.failures;
  verdicts.unknowns = progress.unknowns + (any(State::unknown) ? 1 : 0);
  verdicts.next_ms = moment.now_ms;
  if (impression.deferred)
    verdicts.next_ms += pause_after(verdicts.failures, impression.asked_s, moment.chance) * 1000;
  verdicts.next_unknown_ms = progress.next_unknown_ms;
  std::optional<std::int64_t> pause = 0;
  if (any(State::unknown)) {
    pause = pause_after_unknown(verdicts.unknowns);
    verdicts.next_unknown_ms = moment.now_ms + pause.value_or(0) * 1000;
  }
  held.pending += note_verdicts(progress, verdicts);
  Holding holding{moment.now_ms, moment.age_ms, Hold::none, {}};
  if (!pause) {
    holding.kind = Hold::unknown;
    holding.cause = "its final reply was lost too often: look whether it arrived";
  } else if (impression.sender != nullptr) {
    holding.kind = Hold::sender;
    holding.cause = impression.sender->cause;
  }
  if (holding.kind != Hold::none) held.pending += note_hold(progress, holding);
}

}  // namespace queue
