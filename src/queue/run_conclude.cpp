// What follows from the state of a message: its sender is told, it goes, waits or is held; and what
// could not be written is written later.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

namespace {
constexpr std::size_t probe_bytes = std::size_t{64} * 1024;
}

// What follows from the state that is on disk now.
void Queue::Inside::conclude(const Held& held, Settled& settled) {
  Progress& progress = held->stored.progress;
  const Hold before = progress.hold;
  const Telling telling = tell_failures(held, settled);
  if (telling == Telling::done && progress.finished()) {
    const base::Done removed = remove_file(held->stored.birth);
    if (removed) {
      settled.next = Settled::Next::gone;
      forget(held);
      return;
    }
    keep_unsettled(held, removed.error());
    return;
  }
  const base::Done written = write_notes(*held);
  if (!written) {
    keep_unsettled(held, written.error());
    return;
  }
  if (progress.hold != Hold::none) {
    settled.next = Settled::Next::held;
    if (before == Hold::none || !held->announced) {
      held->announced = true;
      const bool nobody = progress.hold == Hold::undeliverable;
      tell({nobody ? Event::Kind::undeliverable : Event::Kind::held,
            held->stored.birth.id,
            "",
            progress.hold_cause,
            {},
            1});
    }
  } else {
    settled.next = Settled::Next::waits;
    const QueueMs due = progress.due_ms();
    settled.next_in_s = std::max<std::int64_t>(0, (due - now_ms()) / 1000);
  }
  if (telling == Telling::later) {
    const std::lock_guard lock(mutex_);
    desk_.entry(held->slot).to_summarise = true;
  }
  put_back(held);
}

// The id is known as a past one before the name is free: a submission that comes again meets one or
// the other.
base::Done Queue::Inside::remove_file(const Birth& birth) {
  {
    const std::lock_guard lock(mutex_);
    past_.add(birth.id, birth.uid, now_ms());
  }
  return spool_.remove(birth.id);
}

void Queue::Inside::keep_unsettled(const Held& held, const base::Error& error) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = !unwritable_;
    unwritable_ = true;
    probe_ms_ = now_ms() + 5000;
    unsettled_.push_back(held);
  }
  if (first) tell({Event::Kind::unwritable, held->stored.birth.id, "", error.cause, error, 1});
}

// Once the spool can be written, first what could not be said before.
void Queue::Inside::try_writing() {
  // As much as a note and its room take, at least.
  const std::string probe = spool_.path("probe");
  const std::string bytes(probe_bytes, 'x');
  if (!base::replace_file(probe, bytes, 0600, base::Durable::yes)) return;
  unlink(probe.c_str());
  std::vector<Held> again;
  {
    const std::lock_guard lock(mutex_);
    again.swap(unsettled_);
  }
  for (const Held& held : again) {
    // A new descriptor: what failed to sync on the old one is not asked of it again.
    base::Result<Stored> anew = spool_.load(held->stored.birth.id);
    if (anew) {
      const bool written = anew->end > held->seen_end;
      held->stored.file = std::move(anew->file);
      held->stored.end = anew->end;
      if (written) held->pending.clear();
    }
    Settled settled;
    conclude(held, settled);
  }
  bool fine = false;
  {
    const std::lock_guard lock(mutex_);
    fine = unsettled_.empty();
    unwritable_ = !fine;
    changed_.notify_all();
  }
  if (fine) tell({Event::Kind::writable, "", "", "the mail queue can be written again", {}, 0});
}

// Given up: everybody who still waits is refused, with this reason.
void Queue::Inside::refuse_all(const Held& held, const base::Error& error) {
  Progress& progress = held->stored.progress;
  if (progress.hold != Hold::none)
    held->pending += note_hold(progress, {now_ms(), progress.waited_ms, Hold::none, {}});
  Verdicts verdicts;
  verdicts.at_ms = verdicts.next_ms = verdicts.next_unknown_ms = now_ms();
  verdicts.waited_ms = progress.waited_ms;
  verdicts.failures = progress.failures;
  verdicts.unknowns = progress.unknowns;
  for (std::uint32_t i = 0; i < progress.recipients.size(); ++i) {
    const RecipientState& one = progress.recipients[i];
    if (one.state == State::delivered || one.state == State::refused) continue;
    const base::Error* last = progress.reply_to(i);
    verdicts.each.push_back({i, State::refused, last != nullptr ? *last : error});
  }
  held->pending += note_verdicts(progress, verdicts);
  const base::Done written = write_notes(*held);
  if (!written) {
    keep_unsettled(held, written.error());
    return;
  }
  Settled settled;
  conclude(held, settled);
}

}  // namespace queue
