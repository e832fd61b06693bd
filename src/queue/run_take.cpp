// Handing out: the next message that may go, its file opened, for one worker.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

namespace {

constexpr std::int64_t longest_wait_ms = 60'000;
constexpr QueueMs after_a_fault_ms = 60'000;

}  // namespace

std::optional<Slot> Queue::Inside::wait_for_slot(base::Deadline deadline) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_) return std::nullopt;
    const QueueMs now = now_ms();
    QueueMs look = probe_ms_;
    if (unwritable_ && now >= probe_ms_) {
      probe_ms_ = now + 5000;
      lock.unlock();
      try_writing();
      lock.lock();
      continue;
    }
    if (!unwritable_) {
      std::optional<Slot> slot = desk_.take(now);
      if (slot) return slot;
      look = desk_.next_look_ms();
    }
    if (deadline.passed()) return std::nullopt;
    std::int64_t wait = std::clamp<std::int64_t>(look - now, 1, longest_wait_ms);
    if (deadline.left_ms() >= 0) wait = std::min<std::int64_t>(wait, deadline.left_ms());
    changed_.wait_for(lock, std::chrono::milliseconds(wait));
  }
}

// Out of the queue's memory; its file lies in damaged/, or nowhere.
void Queue::Inside::lose(Slot slot, const base::Error& error) {
  std::string id;
  const bool damaged = error.fault == base::Fault::bad_message || error.sys == ENOENT;
  {
    const std::lock_guard lock(mutex_);
    id = desk_.entry(slot).id.hex();
  }
  if (error.fault == base::Fault::bad_message) spool_.quarantine(id).ok();
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = desk_.entry(slot);
    entry.active = false;
    if (damaged) {
      desk_.forget(slot);
    } else {
      entry.due_ms = now_ms() + after_a_fault_ms;
      desk_.schedule(slot);
    }
  }
  if (damaged) tell({Event::Kind::damaged, id, "", error.cause, error, 1});
}

base::Result<Held> Queue::Inside::open_slot(Slot slot) {
  std::string id;
  {
    const std::lock_guard lock(mutex_);
    id = desk_.entry(slot).id.hex();
  }
  base::Result<Stored> stored = spool_.load(id);
  if (!stored) {
    lose(slot, stored.error());
    return std::move(stored).error();
  }
  interrupt(stored->progress);
  auto held = std::make_shared<Work::Inside>();
  held->slot = slot;
  held->stored = std::move(*stored);
  held->seen_end = held->stored.end;
  return held;
}

void Queue::Inside::put_back(const Held& held) {
  const std::lock_guard lock(mutex_);
  if (held->on_the_books) {
    desk_.end(held->account, held->counted_on, 0, now_ms());
    held->on_the_books = false;
  }
  Entry& entry = desk_.entry(held->slot);
  entry.active = false;
  entry.force = Force::none;
  desk_.refresh(held->slot, held->stored.progress);
  changed_.notify_all();
}

void Queue::Inside::forget(const Held& held) {
  const std::lock_guard lock(mutex_);
  if (held->on_the_books) {
    desk_.end(held->account, held->counted_on, 0, now_ms());
    held->on_the_books = false;
  }
  desk_.forget(held->slot);
  changed_.notify_all();
}

std::optional<Work> Queue::Inside::open_work(Slot slot) {
  Force force = Force::none;
  std::uint32_t account = 0;
  std::size_t counted_on = 0;
  {
    const std::lock_guard lock(mutex_);
    const Entry& entry = desk_.entry(slot);
    force = entry.force;
    account = entry.account;
    counted_on = entry.recipients;
  }
  base::Result<Held> opened = open_slot(slot);
  if (!opened) {
    const std::lock_guard lock(mutex_);
    desk_.end(account, counted_on, 0, now_ms());
    return std::nullopt;
  }
  const Held& held = *opened;
  held->on_the_books = true;
  held->account = account;
  held->counted_on = counted_on;
  const QueueMs now = now_ms();
  const Progress& progress = held->stored.progress;
  bool untold = false;
  for (std::uint32_t i = 0; i < progress.recipients.size(); ++i) {
    const RecipientState& one = progress.recipients[i];
    const bool waits =
        one.state == State::waiting && (force != Force::none || progress.next_ms <= now);
    const bool unknown =
        one.state == State::unknown && (force == Force::all || progress.next_unknown_ms <= now);
    if (waits || unknown) held->recipients.push_back(i);
    untold = untold || (one.state == State::refused && !one.told);
  }
  if (untold || progress.finished()) {
    Settled settled;
    conclude(held, settled);
    return std::nullopt;
  }
  if (held->recipients.empty() || progress.hold != Hold::none) {
    put_back(held);
    return std::nullopt;
  }
  return work_of(held);
}

std::optional<Work> Queue::Inside::work_of(const Held& held) {
  const Stored& stored = held->stored;
  const Progress& progress = stored.progress;
  base::Result<mail::Submission> submission = Spool::submission(stored);
  base::Result<mail::Header> header = mail::Header();
  if (submission && progress.resolution) header = header_of(progress.resolution->header);
  if (!submission || !header) {
    const base::Error error = submission ? header.error() : submission.error();
    lose(held->slot, error);
    const std::lock_guard lock(mutex_);
    desk_.end(held->account, held->counted_on, 0, now_ms());
    return std::nullopt;
  }
  Work work;
  work.id = stored.birth.id;
  work.uid = stored.birth.uid;
  work.at_s = stored.birth.at_wall_s;
  work.attempt = progress.attempts + 1;
  work.maybe_duplicate = progress.unknowns > 0 || progress.count(State::unknown) > 0;
  work.resolved = progress.resolution.has_value();
  if (work.resolved) {
    work.message.id = work.id;
    work.message.message = std::move(submission->message);
    work.message.message.header = std::move(*header);
    work.message.envelope = progress.resolution->envelope;
    work.message.envelope.recipients.clear();
    for (const std::uint32_t index : held->recipients)
      work.message.envelope.recipients.push_back(progress.resolution->envelope.recipients[index]);
  } else {
    work.submission = std::move(*submission);
  }
  {
    const std::lock_guard lock(mutex_);
    work.account = desk_.account(held->account).facts.name;
    work.more_to_come = desk_.more_due(held->account, now_ms());
    work.age_s = desk_.age_ms(desk_.entry(held->slot), now_ms()) / 1000;
  }
  work.inside = held;
  return work;
}

base::Result<mail::Header> Queue::Inside::header_of(const std::string& text) {
  base::Scratch bytes;
  base::Done kept = bytes.append(text + "\r\n");
  if (!kept) return std::move(kept).error();
  base::Result<mail::Message> read = mail::split(std::move(bytes), mail::Extent::header_only);
  if (!read) return std::move(read).error();
  return std::move(read->header);
}

std::optional<Work> Queue::take(std::int64_t wait_ms) {
  const base::Deadline deadline = base::Deadline::after_ms(wait_ms);
  for (;;) {
    const std::optional<Slot> slot = inside_->wait_for_slot(deadline);
    if (!slot) return std::nullopt;
    std::optional<Work> work = inside_->open_work(*slot);
    if (work) return work;
  }
}

}  // namespace queue
