// What an attempt says of its account: whether it works, needs a person, or asks for patience; and
// what of that outlives a restart.
#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "account/choose.h"
#include "base/text.h"
#include "queue/frame.h"
#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

namespace {

constexpr QueueMs probe_of_held_ms = QueueMs{3600} * 1000;
constexpr QueueMs save_every_ms = 2000;
constexpr std::size_t file_limit_bytes = std::size_t{4} << 20;
constexpr unsigned failing_limit = 3;

// 4.3.2, 4.5.x, 429, or a time to wait: the whole account is too fast.
bool asks_for_patience(const base::Error& error) {
  return error.status == "4.3.2" || error.status.rfind("4.5.", 0) == 0 ||
         error.said.rfind("429", 0) == 0 || error.retry_after_s > 0;
}

// Who may send as whom, and not whether the account works.
bool about_the_sender(const base::Error& error) {
  return error.fault == base::Fault::not_permitted || error.fault == base::Fault::bad_message ||
         error.fault == base::Fault::bad_recipient;
}

std::int64_t value_of(const account::Account& account, std::string_view key, std::int64_t usual) {
  for (const account::Setting& setting : account.settings) {
    std::int64_t seconds = 0;
    if (setting.key == key && base::parse_duration(setting.value, seconds)) return seconds;
  }
  return usual;
}

}  // namespace

AccountFacts account_facts(const account::Configuration& configuration,
                           const account::Account& account) {
  AccountFacts facts;
  facts.name = account.name;
  facts.max_connections = account.max_connections;
  facts.pace.messages_per_minute = account.rate_messages_per_minute;
  facts.pace.recipients_per_day = account.rate_recipients_per_day;
  facts.pace.share = account.rate_share;
  for (const auto& [key, value] : configuration.others) {
    if (key != "user_rate_messages_per_hour") continue;
    base::parse_number(value, 0, INT32_MAX, facts.pace.user_messages_per_hour);
  }
  const Patience usual;
  facts.patience.retry_for_s = value_of(account, "retry_for", usual.retry_for_s);
  facts.patience.hold_for_s = value_of(account, "hold_for", usual.hold_for_s);
  facts.patience.warn_after_s = value_of(account, "warn_after", usual.warn_after_s);
  facts.rules = account::sender_rules(configuration, account);
  facts.broken = account.broken.has_value();
  return facts;
}

Queue::Inside::Impression Queue::Inside::impression_of(const std::vector<base::Fate>& fates) {
  Impression out;
  for (const base::Fate& fate : fates) {
    using FateIs = base::Fate::State;
    const bool spoke = !fate.error.said.empty() || !fate.error.status.empty();
    const bool tells = fate.state != FateIs::deferred && fate.state != FateIs::held;
    out.reached = out.reached || tells || spoke;
    out.taken = out.taken || fate.state == FateIs::delivered;
    if (fate.state == FateIs::deferred) {
      out.deferred = true;
      out.failed = &fate.error;
      out.asked_s = std::max(out.asked_s, fate.error.retry_after_s);
      out.slow = out.slow || asks_for_patience(fate.error);
    }
    if (fate.state == FateIs::held)
      (about_the_sender(fate.error) ? out.sender : out.held) = &fate.error;
  }
  return out;
}

// What the provider may have counted: those that it spoke of, or may have taken.
std::size_t Queue::Inside::counted(const std::vector<base::Fate>& fates) {
  return static_cast<std::size_t>(
      std::count_if(fates.begin(), fates.end(), [](const base::Fate& fate) {
        using FateIs = base::Fate::State;
        if (fate.state == FateIs::delivered || fate.state == FateIs::unknown) return true;
        return fate.state != FateIs::held && !fate.error.said.empty();
      }));
}

std::vector<Event> Queue::Inside::note_impression_locked(std::uint32_t account,
                                                         const Impression& impression) {
  AccountState& state = desk_.account(account);
  const QueueMs now = now_ms();
  std::vector<Event> events;
  const std::string& name = state.facts.name;
  if (impression.slow) state.pace.slow_down(impression.asked_s, now);
  if (impression.held != nullptr) {
    const bool anew = !state.holds.held();
    state.holds.begin(now, *impression.held);
    state.probe_ms = now + probe_of_held_ms;
    if (anew) {
      state.notice_ms = now;
      const Released sum = desk_.sum_of(account, now);
      events.push_back({Event::Kind::account_held, "", name, impression.held->cause,
                        *impression.held, sum.messages, sum.oldest_s});
    }
  } else if (state.holds.held() && impression.reached) {
    state.holds.end(now);
    const Released sum = desk_.sum_of(account, now);
    desk_.wake(account, now, true);
    events.push_back({Event::Kind::account_freed, "", name, "", {}, sum.messages, sum.oldest_s});
  }
  if (impression.deferred && !impression.reached && impression.failed != nullptr) {
    ++state.failing;
    state.last_failure = *impression.failed;
    const unsigned doublings =
        std::min(state.failing > failing_limit ? state.failing - failing_limit : 0U, 3U);
    state.probe_ms = now + std::min<QueueMs>(QueueMs{5000} << doublings, 30'000);
  } else if (impression.reached) {
    const bool was_away = state.failing > 0;
    state.failing = 0;
    if (was_away) desk_.wake(account, now, false);
  }
  return events;
}

// name, pace and holds of each account; a damaged file is as none.
void Queue::Inside::load_accounts() {
  const std::string path = spool_.path("accounts");
  const base::Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.open()) return;
  const base::Result<std::string> bytes = base::read_all(file.get(), file_limit_bytes, path);
  Frame frame;
  if (!bytes || read_frame(*bytes, frame) != Reading::whole || frame.type != "ACCT") return;
  Unpack unpack(frame.payload);
  const std::uint32_t count = unpack.count(26);
  for (std::uint32_t i = 0; i < count && unpack.ok(); ++i) {
    const std::string name = unpack.text();
    const std::string pace = unpack.text();
    const QueueMs notice_ms = unpack.i64();
    Holds holds;
    holds.unpack(unpack);
    if (!unpack.ok() || base::has_control(name)) return;
    AccountState& state = desk_.account(desk_.account_of(name));
    state.pace.restore(pace, now_ms()).ok();
    state.notice_ms = notice_ms;
    state.holds = std::move(holds);
  }
}

void Queue::Inside::save_accounts() {
  // One at a time, and the newest last.
  const std::lock_guard saving(saving_);
  Pack pack;
  {
    const std::lock_guard lock(mutex_);
    saved_ms_ = now_ms();
    pack.u32(static_cast<std::uint32_t>(desk_.accounts()));
    for (std::uint32_t i = 0; i < desk_.accounts(); ++i) {
      const AccountState& state = desk_.account(i);
      pack.text(state.facts.name).text(state.pace.text()).i64(state.notice_ms);
      state.holds.pack(pack);
    }
  }
  // Lost with the machine at worst: the provider's own limits hold.
  base::replace_file(spool_.path("accounts"), frame("ACCT", pack.bytes()), 0600, base::Durable::no)
      .ok();
}

void Queue::Inside::save_accounts_sometimes() {
  {
    const std::lock_guard lock(mutex_);
    if (now_ms() - saved_ms_ < save_every_ms) return;
    saved_ms_ = now_ms();
  }
  save_accounts();
}

base::Done Queue::begin_now(const std::string& account, uid_t uid, std::size_t recipients,
                            base::Deadline deadline) {
  std::unique_lock lock(inside_->mutex_);
  Desk& desk = inside_->desk_;
  const std::uint32_t index = desk.account_of(account);
  for (;;) {
    if (inside_->stopped_) {
      return base::failure(base::Fault::unavailable, "the mailbearer agent is ending",
                           "try again when it is back");
    }
    const QueueMs now = inside_->now_ms();
    // What waits for a person or for the way is not waited for: the attempt itself will tell.
    const AccountState& state = desk.account(index);
    const bool full = state.facts.max_connections > 0 &&
                      state.active >= static_cast<std::size_t>(state.facts.max_connections);
    const QueueMs at_ms =
        full ? INT64_MAX : desk.account(index).pace.earliest(uid, recipients, now);
    if (at_ms <= now) {
      desk.start(index, uid, recipients, now);
      return base::done();
    }
    const std::int64_t left = deadline.left_ms() < 0 ? INT32_MAX : deadline.left_ms();
    if (left == 0 || (at_ms != INT64_MAX && at_ms - now > left)) {
      const std::int64_t wait_s = at_ms == INT64_MAX ? 60 : (at_ms - now + 999) / 1000;
      base::Error error = base::failure(base::Fault::unavailable, "provider limit reached",
                                        "try again after " + std::to_string(wait_s) + " s");
      error.account = account;
      error.retry_after_s = wait_s;
      return error;
    }
    inside_->changed_.wait_for(
        lock, std::chrono::milliseconds(std::clamp<std::int64_t>(at_ms - now, 1, left)));
  }
}

void Queue::end_now(const std::string& account, std::size_t recipients,
                    const std::vector<base::Fate>& fates) {
  std::vector<Event> events;
  {
    const std::lock_guard lock(inside_->mutex_);
    const std::uint32_t index = inside_->desk_.account_of(account);
    inside_->desk_.end(index, recipients, Inside::counted(fates), inside_->now_ms());
    events = inside_->note_impression_locked(index, Inside::impression_of(fates));
    inside_->changed_.notify_all();
  }
  for (const Event& event : events) inside_->tell(event);
  inside_->save_accounts_sometimes();
}

}  // namespace queue
