// Opening and accepting. run_take.cpp hands out, run_settle.cpp has the way back.
#include "queue/run.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/random.h"
#include "base/text.h"
#include "queue/frame.h"
#include "queue/run_inside.h"
#include "queue/spool_file.h"

namespace queue {

namespace {

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

void Queue::Inside::tell(const Event& event) const {
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
    // It may have been delivered while we found that its id is taken.
    const bool known = committed.ok() || past_.knows(birth.id, birth.uid, now_ms());
    if (!known) return std::move(committed).error();
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

}  // namespace queue
