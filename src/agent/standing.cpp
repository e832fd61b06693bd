#include "agent/standing.h"

#include <csignal>
#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "base/crypto_library.h"
#include "base/process.h"
#include "base/text.h"

namespace agent {

namespace {

constexpr std::size_t commit_threads = 16;  // as many messages share one sync of the folder
constexpr std::size_t now_threads = 16;
constexpr std::size_t queue_threads = 8;
constexpr std::int64_t tidy_ms = 60'000;
constexpr std::int64_t tick_ms = 1000;

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
