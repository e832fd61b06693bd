#include "agent/standing.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

#include "account/choose.h"
#include "agent/verdict.h"
#include "base/clock.h"
#include "base/crypto_library.h"
#include "base/process.h"
#include "cli/profile.h"
#include "report/exit_code.h"
#include "report/tell.h"

namespace agent {

namespace {

constexpr std::size_t commit_threads = 16;  // as many messages share one sync of the folder
constexpr std::size_t now_threads = 16;
constexpr std::size_t queue_threads = 8;
constexpr std::int64_t take_ms = 5000;  // idle connections are looked at as often
constexpr std::int64_t tidy_ms = 60'000;
constexpr std::int64_t tick_ms = 1000;

account::Delivery mode_of(const account::Configuration& configuration,
                          const account::Account& account, submit::Wishes wishes) {
  if (wishes.wait) return account::Delivery::now;
  if (account.delivery != account::Delivery::unset) return account.delivery;
  return configuration.profile == account::Profile::system ? account::Delivery::queue
                                                           : account::Delivery::now;
}

}  // namespace

Standing::Standing(const Surroundings& around)
    : around_(around), in_force_(around), service_(cli::read_service_environment()) {}

base::Result<std::unique_ptr<Standing>> Standing::start(const Surroundings& around) {
  base::Done told = submit::judge_peer_credentials();
  if (!told) return std::move(told).error();
  base::start_crypto(base::Crypto::whole);  // before there are threads
  std::unique_ptr<Standing> standing(new Standing(around));
  base::Done opened = standing->open_spool();
  if (opened) opened = standing->open_sockets();
  if (!opened) return std::move(opened).error();
  return standing;
}

Standing::~Standing() = default;

base::Done Standing::open_spool() {
  queue::Options options;
  options.folder = around_.options.spool;
  options.workers = queue_threads;
  options.tell = [this](const queue::Event& event) { heed(event); };
  base::Result<std::unique_ptr<queue::Queue>> opened = queue::Queue::open(std::move(options));
  if (!opened) return std::move(opened).error();
  queue_ = std::move(*opened);
  reload(true);
  return base::done();
}

base::Done Standing::open_sockets() {
  base::Fd listener;
  for (PassedSocket& one : passed_sockets(cli::read_service_environment())) {
    const bool control = one.path.ends_with("/control.sock");
    (control ? control_listener_ : listener) = std::move(one.socket);
  }
  const bool system = around_.options.profile == account::Profile::system;
  if (!listener.open()) {
    base::Result<base::Fd> made = submit::listen_at(around_.options.listen, system ? 0666 : 0600);
    if (!made) return std::move(made).error();
    listener = std::move(*made);
  }
  if (!control_listener_.open() && !around_.options.control.empty()) {
    base::Result<base::Fd> made = submit::listen_at(around_.options.control, system ? 0666 : 0600);
    if (!made) return std::move(made).error();
    control_listener_ = std::move(*made);
  }
  crowd_ = std::make_unique<submit::Crowd>(
      std::move(listener), submit::CrowdRules{},
      [this](Ticket ticket, mail::Submission submission, submit::Wishes wishes) {
        // A job is copied around; a submission cannot be.
        const auto shared = std::make_shared<mail::Submission>(std::move(submission));
        commits_->add(
            [this, ticket, shared, wishes](std::size_t) { judge(ticket, shared, wishes); });
      });
  return base::done();
}

// What the queue must know of the accounts, when it has changed.
void Standing::reload(bool at_once) {
  if (!in_force_.refresh(at_once)) return;
  const SharedConfiguration now = in_force_.get();
  std::vector<queue::AccountFacts> facts;
  for (const account::Account& one : now->accounts) {
    facts.push_back(queue::account_facts(*now, one));
  }
  queue_->set_accounts(std::move(facts));
}

// --- A message that has come in. On a thread of commits_.

void Standing::judge(Ticket ticket, const Shared& submission, submit::Wishes wishes) {
  reload(false);
  const SharedConfiguration now = in_force_.get();
  // Nobody can say yet which account it leaves by: it waits for one (design section 2).
  if (now == nullptr || now->accounts.empty()) {
    crowd_->answer(ticket, keep(*submission, ""));
    return;
  }
  account::Wish wish;
  wish.peer = submission->peer;
  wish.asked = submission->asked_account;
  wish.envelope = &submission->envelope;
  wish.header = &submission->message.header;
  const base::Result<const account::Account*> chosen = account::choose(*now, wish);
  if (!chosen) {
    const base::Error& error = chosen.error();
    const auto broken = std::find_if(
        now->accounts.begin(), now->accounts.end(),
        [&](const account::Account& one) { return one.broken && one.name == error.account; });
    crowd_->answer(ticket, broken == now->accounts.end() ? refusal(error, now->temporary_exit)
                                                         : keep(*submission, broken->name));
    return;
  }
  const account::Account& account = **chosen;
  if (mode_of(*now, account, wishes) == account::Delivery::queue) {
    crowd_->answer(ticket, keep(*submission, account.name));
    return;
  }
  immediate_->add([this, ticket, submission, wishes, now, &account](std::size_t thread) {
    base::Trace trace;
    if (wishes.trace) {
      trace = [this, ticket](std::string_view line) { crowd_->trace(ticket, std::string(line)); };
    }
    crowd_->answer(ticket, deliver_now(thread, now, account, submission, trace));
  });
}

submit::Verdict Standing::keep(const mail::Submission& submission, const std::string& account) {
  const base::Result<queue::Accepted> accepted = queue_->accept(submission, account);
  return accepted ? submit::Verdict{} : refusal(accepted.error(), 0);
}

submit::Verdict Standing::deliver_now(std::size_t thread, const SharedConfiguration& configuration,
                                      const account::Account& account, const Shared& submission,
                                      const base::Trace& trace) {
  const uid_t uid = submission->peer.uid;
  const bool may_queue = account.delivery == account::Delivery::now_else_queue;
  base::Result<mail::Submission> second = base::failure(base::Fault::bug, "none");
  if (may_queue) second = mail::twin_of(*submission);
  base::Result<mail::Prepared> prepared =
      mail::prepare(std::move(*submission), account::sender_rules(*configuration, account));
  if (!prepared) return refusal_of(prepared.error(), account);
  const std::size_t count = prepared->envelope.recipients.size();
  std::vector<base::Fate> fates;
  base::Done turn = queue_->begin_now(account.name, uid, count,
                                      base::Deadline::after_ms(account.pace_wait_s * 1000));
  if (turn) {
    fates = desks_[thread]->carry({*configuration, account, *prepared, trace, true, true, {}});
    queue_->end_now(account.name, uid, count, fates);
  }
  const base::Error* error = turn ? report::deciding_error(fates) : &turn.error();
  if (error == nullptr) return {};
  // Only what nobody can have got is sent a second time.
  const bool unsent = std::none_of(fates.begin(), fates.end(), [](const base::Fate& fate) {
    return fate.state == base::Fate::State::unknown || fate.state == base::Fate::State::delivered;
  });
  if (may_queue && second && unsent && error->kind != base::FaultClass::permanent) {
    return keep(*second, account.name);
  }
  return refusal_of(*error, account);
}

// --- What waits. On a thread of workers_.

void Standing::deliver_queued(std::size_t /*thread*/) {
  Desk desk(around_, &connections_);
  for (;;) {
    std::optional<queue::Work> work = queue_->take(take_ms);
    if (work) {
      deliver(desk, std::move(*work));
      continue;
    }
    if (ending_) return;
    connections_.close_idle();
  }
}

void Standing::deliver(Desk& desk, queue::Work work) {
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
  if (!work.resolved) {
    base::Result<mail::Prepared> prepared =
        mail::prepare(std::move(work.submission), account::sender_rules(*now, **account));
    base::Done resolved = prepared ? queue_->resolve(work, (*account)->name, *prepared)
                                   : base::Done(prepared.error());
    if (!resolved) {
      queue_->settle(std::move(work), resolved.error());
      return;
    }
    work.message = std::move(*prepared);
  }
  Errand errand{*now, **account, work.message};
  errand.all_or_nothing = false;
  errand.more_to_come = true;  // idle connections are closed when nothing comes
  errand.before_end = [this, &work](std::size_t first, std::size_t count) {
    return queue_->mark(work, first, count);
  };
  const std::vector<base::Fate> fates = desk.carry(errand);
  queue_->settle(std::move(work), fates);
}

void Standing::heed(const queue::Event& event) {
  std::fprintf(stderr, "mailbearer-agent: %s\n", event.text.c_str());
}

// --- Its life.

int Standing::run() {
  // Every thread that is made from here on leaves signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, one);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  for (std::size_t i = 0; i < now_threads; ++i) {
    desks_.push_back(std::make_unique<Desk>(around_, &connections_));
  }
  immediate_ = std::make_unique<Pool>(now_threads);
  commits_ = std::make_unique<Pool>(commit_threads);
  for (std::size_t i = 0; i < queue_threads; ++i) {
    workers_.emplace_back([this, i] { deliver_queued(i); });
  }
  crowd_thread_ = std::thread([this] {
    if (!crowd_->run()) {
      crowd_failed_ = true;
      kill(getpid(), SIGTERM);
    }
  });
  service_.say("READY=1\nSTATUS=serving\n");
  const int exit = wait_for_signals();
  drain();
  return crowd_failed_ ? 71 : exit;
}

int Standing::wait_for_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, one);
  base::Deadline tidy = base::Deadline::after_ms(tidy_ms);
  base::Deadline alive = base::Deadline::after_ms(service_.watchdog_ms());
  for (;;) {
    const timespec tick{tick_ms / 1000, 0};
    const int got = sigtimedwait(&signals, nullptr, &tick);
    if (got == SIGTERM || got == SIGINT) return 0;
    if (got == SIGHUP) {
      service_.say("RELOADING=1\n");
      reload(true);
      service_.say("READY=1\n");
    }
    if (tidy.passed()) {
      reload(false);
      queue_->tidy();
      tidy = base::Deadline::after_ms(tidy_ms);
    }
    if (service_.watchdog_ms() > 0 && alive.passed()) {
      service_.say("WATCHDOG=1\n");
      alive = base::Deadline::after_ms(service_.watchdog_ms());
    }
  }
}

// Verdicts that are due are given, deliveries that are under way end; what waits, waits on disk.
void Standing::drain() {
  service_.say("STOPPING=1\nSTATUS=ending\n");
  crowd_->stop();
  crowd_thread_.join();
  ending_ = true;
  queue_->stop();
  commits_.reset();
  immediate_.reset();
  for (std::thread& one : workers_) one.join();
}

}  // namespace agent
