// Opening, accepting and handing out. run_settle.cpp has the way back.
#include "queue/run.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/random.h"
#include "base/text.h"
#include "queue/frame.h"
#include "queue/run_inside.h"
#include "queue/spool_file.h"

namespace queue {

namespace {

constexpr std::int64_t longest_wait_ms = 60'000;
constexpr QueueMs after_a_fault_ms = 60'000;

QueueMs now_of(const Options& options, const Spool& spool) {
  if (options.standing_clock) return *options.standing_clock;
  return Clock::resume(spool.path("clock"), 0).now_ms();
}

}  // namespace

Queue::Inside::Inside(Options options, Spool spool)
    : options_(std::move(options)),
      spool_(std::move(spool)),
      clock_(Clock::standing(now_of(options_, spool_))),
      desk_(options_.limits, options_.workers),
      storm_(options_.bounce_interval_s * 1000),
      random_(static_cast<std::uint32_t>(std::hash<std::string>{}(base::random_hex(8)))) {}

Queue::Inside::~Inside() {
  save_accounts();
  clock_.write_down(spool_.path("clock")).ok();
}

void Queue::Inside::tell(Event event) const {
  if (options_.tell) options_.tell(event);
}

double Queue::Inside::chance() {
  return static_cast<double>(random_() % 10'000) / 10'000.0;
}

base::Done Queue::Inside::scan() {
  QueueMs latest = 0;
  base::Result<Spool::Scan> scan = spool_.scan(
      [&](Glance glance) {
        interrupt(glance.progress);
        latest = std::max({latest, glance.birth.at_ms, glance.progress.at_ms});
        const std::string& name =
            glance.progress.resolution ? glance.progress.resolution->account : glance.birth.account;
        const std::uint32_t account = desk_.account_of(name);
        desk_.adopt(account, glance.birth.uid, glance.birth.content_bytes);
        desk_.add(glance.birth, account, glance.progress);
      },
      [&](const std::string& name, const base::Error& why) {
        tell({Event::Kind::damaged, name, "", why.cause, why, 1});
      });
  if (!scan) return std::move(scan).error();
  if (scan->newer > 0) {
    tell({Event::Kind::newer, "", "", "files of a later version are left alone", {}, scan->newer});
  }
  if (!options_.standing_clock) clock_.restart(Clock::resume(spool_.path("clock"), latest));
  past_.open(spool_.path("past"), now_ms());
  load_accounts();
  spool_.remove_debris();
  return base::done();
}

Queue::Queue(std::shared_ptr<Inside> inside) : inside_(std::move(inside)) {}
Queue::~Queue() = default;

base::Result<std::unique_ptr<Queue>> Queue::open(Options options) {
  base::Result<Spool> spool = Spool::open(options.folder);
  if (!spool) return std::move(spool).error();
  auto inside = std::make_shared<Inside>(std::move(options), std::move(*spool));
  base::Done scanned = inside->scan();
  if (!scanned) return std::move(scanned).error();
  return std::unique_ptr<Queue>(new Queue(std::move(inside)));
}

void Queue::set_accounts(std::vector<AccountFacts> accounts) {
  const std::lock_guard lock(inside_->mutex_);
  inside_->desk_.set_accounts(std::move(accounts), inside_->now_ms());
  inside_->changed_.notify_all();
}

void Queue::set_clock_ms(QueueMs at_ms) {
  inside_->clock_.set_ms(at_ms);
}

void Queue::stop() {
  {
    const std::lock_guard lock(inside_->mutex_);
    inside_->stopped_ = true;
    inside_->changed_.notify_all();
  }
  inside_->save_accounts();
}

base::Result<Accepted> Queue::accept(const mail::Submission& submission,
                                     const std::string& account) {
  return inside_->accept(submission, account, false);
}

base::Result<Accepted> Queue::Inside::accept(const mail::Submission& submission,
                                             const std::string& account, bool bounce) {
  Birth birth;
  birth.id = is_message_id(submission.id) ? submission.id : base::random_hex(16);
  birth.account = account;
  birth.uid = submission.peer.uid;
  birth.bounce = bounce;
  const std::uint64_t bytes =
      submission.message.header.text().size() + 2 + submission.message.body_bytes();
  if (submission.envelope.recipients.empty())
    return base::failure(base::Fault::bad_message, "no recipient", "name one");
  const base::Result<Spool::Room> room = spool_.room();
  const bool scarce = room.ok() && (room->free_bytes < options_.limits.floor_bytes + bytes ||
                                    room->free_files < options_.limits.floor_files);
  if (scarce && birth.uid != 0) return spool_error("cannot write the mail queue", ENOSPC);
  std::uint32_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    birth.at_ms = now_ms();
    if (past_.knows(birth.id, birth.uid, birth.at_ms)) return Accepted{birth.id, true, false};
    index = desk_.account_of(account);
    base::Done reserved = base::done();
    if (bounce)
      desk_.adopt(index, birth.uid, bytes);
    else
      reserved = desk_.reserve(index, birth.uid, bytes);
    if (!reserved) return std::move(reserved).error();
  }
  base::Result<Spool::Committed> committed = spool_.commit(submission, birth);
  if (!committed && committed.error().fault == base::Fault::not_permitted) {
    birth.id = base::random_hex(16);  // whoever chose that id gets one of his own
    committed = spool_.commit(submission, birth);
  }
  const std::lock_guard lock(mutex_);
  if (!committed || *committed == Spool::Committed::repeated) {
    desk_.give_back(index, birth.uid, bytes);
    if (!committed) return std::move(committed).error();
    return Accepted{birth.id, true, false};
  }
  birth.content_bytes = bytes;
  Progress fresh;
  fresh.recipients.assign(submission.envelope.recipients.size(), RecipientState{});
  fresh.at_ms = fresh.next_ms = fresh.next_unknown_ms = birth.at_ms;
  desk_.add(birth, index, fresh);
  changed_.notify_one();
  const AccountState& state = desk_.account(index);
  return Accepted{birth.id, false, !state.known || state.holds.held()};
}

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
  past_.add(held->stored.birth.id, held->stored.birth.uid, now_ms());
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
