// A message's way through the standing agent: judged, then kept or delivered at once; and what
// waits, delivered.
#include <algorithm>
#include <utility>

#include "account/choose.h"
#include "agent/standing.h"
#include "agent/verdict.h"
#include "base/file.h"
#include "base/process.h"
#include "report/exit_code.h"

namespace agent {

namespace {

constexpr std::int64_t take_ms = 5000;  // idle connections are looked at as often

account::Delivery mode_of(const account::Configuration& configuration,
                          const account::Account& account, submit::Wishes wishes) {
  if (wishes.wait) return account::Delivery::now;
  if (account.delivery != account::Delivery::unset) return account.delivery;
  return configuration.profile == account::Profile::system ? account::Delivery::queue
                                                           : account::Delivery::now;
}

// Only what nobody can have got is sent a second time.
bool nobody_has_it(const std::vector<base::Fate>& fates) {
  return std::none_of(fates.begin(), fates.end(), [](const base::Fate& fate) {
    return fate.state == base::Fate::State::unknown || fate.state == base::Fate::State::delivered;
  });
}

}  // namespace

// --- A message that has come in. On a thread of commits_.

void Standing::judge(const Caller& caller, const Shared& submission, submit::Wishes wishes) {
  reload(false);
  const SharedConfiguration now = in_force_.get();
  // Nobody can say yet which account it leaves by: it waits for one (design section 2).
  if (now == nullptr || now->accounts.empty()) {
    caller.answer(keep(*submission, ""));
    return;
  }
  account::Wish wish;
  wish.peer = submission->peer;
  wish.asked = submission->asked_account;
  wish.envelope = &submission->envelope;
  wish.header = &submission->message.header;
  if (submission->peer.over_network) wish.environment = main_value(*now, "listen_account");
  const base::Result<const account::Account*> chosen = account::choose(*now, wish);
  if (submission->verify) {
    caller.answer(verify(*now, chosen, *submission, caller.trace));
    return;
  }
  if (!chosen) {
    const base::Error& error = chosen.error();
    const auto broken = std::find_if(
        now->accounts.begin(), now->accounts.end(),
        [&](const account::Account& one) { return one.broken && one.name == error.account; });
    caller.answer(broken == now->accounts.end() ? refusal(error, now->temporary_exit)
                                                : keep(*submission, broken->name));
    return;
  }
  const account::Account& account = **chosen;
  if (mode_of(*now, account, wishes) == account::Delivery::queue) {
    const std::optional<base::Error> never = never_sent(*now, account, *submission);
    caller.answer(never ? refusal_of(*never, account) : keep(*submission, account.name));
    return;
  }
  immediate_->add([this, caller, submission, wishes, now, &account](std::size_t thread) {
    const base::Trace trace = wishes.trace ? caller.trace : base::Trace();
    caller.answer(deliver_now(thread, now, account, submission, wishes, trace));
  });
}

Standing::Caller Standing::caller_of(Ticket ticket) {
  return {[this, ticket](submit::Verdict verdict) { crowd_->answer(ticket, std::move(verdict)); },
          [this, ticket](std::string_view line) { crowd_->trace(ticket, std::string(line)); }};
}

submit::Verdict Standing::keep(const mail::Submission& submission, const std::string& account) {
  const base::Result<queue::Accepted> accepted = queue_->accept(submission, account);
  return accepted ? submit::Verdict{} : refusal(accepted.error(), 0);
}

walk::Stage Standing::stage(net::HelperProgram& helper,
                            const account::Configuration& configuration) const {
  walk::Stage stage;
  stage.configuration = &configuration;
  stage.helper = &helper;
  stage.connections = &connections_;
  stage.runtime_dir = runtime_dir(around_, configuration);
  stage.credentials_directory = around_.environment.credentials_directory;
  stage.more_to_come = true;  // an idle connection is closed when nothing comes for it
  return stage;
}

submit::Verdict Standing::deliver_now(std::size_t thread, const SharedConfiguration& configuration,
                                      const account::Account& account, const Shared& submission,
                                      submit::Wishes wishes, const base::Trace& trace) {
  const uid_t uid = submission->peer.uid;
  const std::size_t count = submission->envelope.recipients.size();
  // Who asked to wait for the provider's verdict is not told that the message is kept.
  const bool may_queue = account.delivery == account::Delivery::now_else_queue && !wishes.wait;
  base::Result<mail::Submission> second = base::failure(base::Fault::bug, "not asked for");
  if (may_queue) second = mail::twin_of(*submission);
  const report::Log log = log_of(*configuration);
  walk::Stage stage = this->stage(*helpers_[thread], *configuration);
  stage.log = &log;
  stage.trace = trace;
  walk::Outcome outcome{account.name, account.temporary_exit, base::Error()};
  // An agent that ends begins nothing: its callers hear so, rather than that the outcome is
  // unknown.
  base::Done turn = queue_->begin_now(account.name, uid, count,
                                      base::Deadline::after_ms(account.pace_wait_s * 1000));
  if (turn) {
    outcome = walk::send(stage, account, std::move(*submission));
    queue_->end_now(account.name, count,
                    outcome.fates ? *outcome.fates : std::vector<base::Fate>{});
  } else {
    outcome.fates = turn.error();
  }
  const base::Error* error =
      outcome.fates ? report::deciding_error(*outcome.fates) : &outcome.fates.error();
  if (error == nullptr) return {};
  const bool unsent = !outcome.fates || nobody_has_it(*outcome.fates);
  if (may_queue && second && unsent && error->kind != base::FaultClass::permanent) {
    return keep(*second, account.name);
  }
  base::Error named = *error;
  if (named.account.empty()) named.account = outcome.account;
  return refusal(named, outcome.temporary_exit);
}

// --- What waits. On a thread of workers_.

void Standing::deliver_queued() {
  net::HelperProgram helper(base::sibling_program("mailbearer-helper", MAILBEARER_LIBEXEC),
                            cli::environment_for_child(around_.environment));
  for (;;) {
    std::optional<queue::Work> work = queue_->take(take_ms);
    if (work) {
      deliver(helper, std::move(*work));
      continue;
    }
    if (ending_) return;
    connections_.close_idle();
  }
}

void Standing::deliver(net::HelperProgram& helper, queue::Work work) {
  reload(false);
  const SharedConfiguration now = in_force_.get();
  if (now == nullptr) {
    queue_->settle(std::move(work), base::failure(base::Fault::config, "no configuration"));
    return;
  }
  const base::FoldersOnce folders_once;
  base::Result<const account::Account*> account = chosen_for(*now, work);
  if (!account) {
    queue_->settle(std::move(work), account.error());
    return;
  }
  // Graph is not asked for delivery notices: the sender hears that it was handed on.
  work.notices_passed_on = (*account)->transport != account::Transport::graph;
  const report::Log log = log_of(*now);
  walk::Stage stage = this->stage(helper, *now);
  stage.log = &log;
  stage.all_or_nothing = false;
  stage.prepared = [this, &work](const account::Account& by, const mail::Prepared& prepared) {
    return queue_->resolve(work, by.name, prepared);
  };
  stage.before_end = [this, &work](std::size_t first, std::size_t count) {
    return queue_->mark(work, first, count);
  };
  const walk::Outcome outcome =
      work.resolved ? walk::send_again(stage, **account, std::move(work.message), work.uid)
                    : walk::send(stage, **account, std::move(work.submission));
  if (outcome.fates) {
    queue_->settle(std::move(work), *outcome.fates);
  } else {
    queue_->settle(std::move(work), for_queue(outcome.fates.error()));
  }
}

}  // namespace agent
