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
#include "base/text.h"
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

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGTERM, SIGINT}) sigaddset(&signals, one);
  return signals;
}

sigset_t our_signals() {
  sigset_t signals = ending_signals();
  sigaddset(&signals, SIGHUP);
  return signals;
}

// The directory of users may be slow, or far away: it is asked once a minute for a uid, since the
// one thread of all callers waits for it.
class Logins {
 public:
  const std::string& of(uid_t uid) {
    if (known_.size() > 1000 || end_.passed()) {
      known_.clear();
      end_ = base::Deadline::after_ms(60'000);
    }
    const auto found = known_.find(uid);
    if (found != known_.end()) return found->second;
    return known_.emplace(uid, cli::person_of(uid).login).first->second;
  }

 private:
  std::map<uid_t, std::string> known_{};
  base::Deadline end_ = base::Deadline::after_ms(60'000);
};

// Only what nobody can have got is sent a second time.
bool nobody_has_it(const std::vector<base::Fate>& fates) {
  return std::none_of(fates.begin(), fates.end(), [](const base::Fate& fate) {
    return fate.state == base::Fate::State::unknown || fate.state == base::Fate::State::delivered;
  });
}

}  // namespace

Standing::Standing(const Surroundings& around)
    : around_(around), in_force_(around), service_(cli::read_service_environment()) {}

base::Result<std::unique_ptr<Standing>> Standing::start(const Surroundings& around) {
  // Every thread that is made from here on leaves signals to the main one, which waits for them.
  const sigset_t signals = our_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
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
  notices_ = std::make_unique<Notices>(
      around_, [this](const mail::Submission& message, const std::string& account) {
        // Not kept: the log has it.
        static_cast<void>(queue_->accept(message, account).ok());
      });
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
    if (one.path.empty()) continue;  // not a Unix socket: the kernel cannot say who calls there
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
  submit::CrowdRules rules;
  rules.session.verifies = true;
  rules.login_of = [logins = Logins()](uid_t uid) mutable { return logins.of(uid); };
  crowd_ = std::make_unique<submit::Crowd>(
      std::move(listener), std::move(rules),
      [this](Ticket ticket, mail::Submission submission, submit::Wishes wishes) {
        // A job is copied around; a submission cannot be.
        const auto shared = std::make_shared<mail::Submission>(std::move(submission));
        commits_->add([this, ticket, shared, wishes](std::size_t) {
          judge(caller_of(ticket), shared, wishes);
        });
      });
  return base::done();
}

// What the queue must know of the accounts, when it has changed.
void Standing::reload(bool at_once) {
  // One at a time: the one that read later must not be overtaken by the one that read before. Who
  // only looks whether something changed does not wait for that.
  std::unique_lock<std::mutex> hold(reloading_, std::defer_lock);
  if (at_once) {
    hold.lock();
  } else if (!hold.try_lock()) {
    return;
  }
  const bool another = in_force_.refresh(at_once);
  tell_of_fault();
  if (!another) return;
  const SharedConfiguration now = in_force_.get();
  std::vector<queue::AccountFacts> facts;
  for (const account::Account& one : now->accounts) {
    facts.push_back(queue::account_facts(*now, one));
  }
  queue_->set_accounts(std::move(facts));
}

// Once for each fault, not for each message.
void Standing::tell_of_fault() {
  const std::optional<base::Error> fault = in_force_.fault();
  const std::string text = fault ? sentence(*fault) : std::string();
  if (text == told_fault_) return;
  told_fault_ = text;
  report::LogLine line;
  line.good = text.empty();
  line.urgent = !text.empty();
  line.fields.emplace_back("event", "configuration");
  const SharedConfiguration old = in_force_.get();
  const char* meanwhile = old == nullptr ? "; until then mail is accepted and held"
                                         : "; the configuration of before stays in force";
  line.fields.emplace_back("text", text.empty() ? "the configuration is sound again"
                                                : base::clean(text, 600) + meanwhile);
  (old == nullptr ? report::Log("", report::Addresses::full) : log_of(*old)).note(line);
}

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

void Standing::heed(const queue::Event& event) {
  notices_->tell(event, in_force_.get());
}

// --- Its life.

int Standing::run() {
  for (std::size_t i = 0; i < now_threads; ++i) {
    helpers_.push_back(std::make_unique<net::HelperProgram>(
        base::sibling_program("mailbearer-helper", MAILBEARER_LIBEXEC),
        cli::environment_for_child(around_.environment)));
  }
  immediate_ = std::make_unique<Pool>(now_threads);
  commits_ = std::make_unique<Pool>(commit_threads);
  for (std::size_t i = 0; i < queue_threads; ++i) {
    workers_.emplace_back([this] { deliver_queued(); });
  }
  crowd_thread_ = std::thread([this] {
    if (!crowd_->run()) {
      crowd_failed_ = true;
      kill(getpid(), SIGTERM);
    }
  });
  if (control_listener_.open()) {
    ControlDoors doors;
    doors.queue = queue_.get();
    doors.in_force = &in_force_;
    doors.around = &around_;
    doors.reload = [this] { reload(true); };
    doors.released = [this](const std::string&) { known_.forget_sessions(); };
    control_ = std::make_unique<Control>(std::move(control_listener_), std::move(doors));
  }
  // Without it the host's own programs go on sending.
  const base::Done network = open_network();
  if (!network) {
    report::LogLine line;
    line.urgent = true;
    line.fields = {{"event", "network"}, {"text", base::clean(sentence(network.error()), 600)}};
    log_of(*in_force_.get()).note(line);
    std::fprintf(stderr, "mailbearer-agent: %s\n", sentence(network.error()).c_str());
  }
  service_.say("READY=1\nSTATUS=serving\n");
  const int exit = wait_for_signals();
  // Whoever asks a second time does not want to wait for deliveries: the spool stands any end.
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  drain();
  return crowd_failed_ ? 71 : exit;
}

int Standing::wait_for_signals() {
  const sigset_t signals = our_signals();
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
  ending_ = true;
  queue_->stop();  // first of all: nothing new is begun while the verdicts are waited for
  network_.reset();
  control_.reset();
  crowd_->stop();
  crowd_thread_.join();
  commits_.reset();
  immediate_.reset();
  for (std::thread& one : workers_) one.join();
  notices_->finish();
}

}  // namespace agent
