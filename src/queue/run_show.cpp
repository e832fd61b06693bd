// What a person is shown.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

namespace {

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
    if (!slot || (whose && desk.entry(*slot).uid != *whose)) return no_such_message(id);
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

}  // namespace queue
