// What is to be done from time to time: notices, what waited or was held too long, summaries.
#include <algorithm>
#include <utility>

#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

namespace {

constexpr QueueMs notice_every_ms = QueueMs{86400} * 1000;
constexpr std::size_t tidied_at_once = 1000;

}  // namespace

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
    if (!remove_file((*held)->stored.birth)) {
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
  for (const Event& event : chores.events) inside.tell(event);
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
