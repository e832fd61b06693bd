#include "agent/one_shot.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "account/choose.h"
#include "agent/verdict.h"
#include "base/crypto_library.h"
#include "base/file.h"
#include "base/process.h"
#include "cli/profile.h"
#include "net/stream.h"
#include "report/exit_code.h"
#include "report/log.h"
#include "submit/serve.h"
#include "transport/connections.h"
#include "transport/known_servers.h"
#include "walk/one_message.h"

namespace agent {

namespace {

// One message, from submission to verdict: the walk that docs/architecture.md tells.
class OneShot {
 public:
  explicit OneShot(const Surroundings& around) : around_(around) {}

  submit::Verdict take(mail::Submission submission, const base::Trace& trace, bool more_to_come) {
    const base::FoldersOnce folders_once;
    base::Result<account::Configuration> configuration = load();
    if (!configuration) return refusal(configuration.error(), 0);
    // Before anything is unsealed: one message wants few algorithms, and no key of a file.
    base::start_crypto(reads_keys(*configuration) ? base::Crypto::whole : base::Crypto::narrow);
    base::Result<const account::Account*> chosen = choose(*configuration, submission);
    if (submission.verify) return verify(*configuration, chosen, submission, trace);
    const report::Log log = log_of(*configuration);
    if (!chosen) {
      walk::log_refusal(log, submission, chosen.error());
      return refusal(chosen.error(), configuration->temporary_exit);
    }
    walk::Stage stage;
    stage.configuration = &*configuration;
    stage.helper = &helper();
    stage.runtime_dir = runtime_dir(around_, *configuration);
    stage.credentials_directory = around_.environment.credentials_directory;
    stage.connections = &connections(stage.runtime_dir);
    stage.log = &log;
    stage.trace = trace;
    stage.more_to_come = more_to_come;
    return verdict_of(walk::send(stage, **chosen, std::move(submission)));
  }

 private:
  static submit::Verdict verdict_of(const walk::Outcome& outcome) {
    const base::Error* error =
        outcome.fates ? report::deciding_error(*outcome.fates) : &outcome.fates.error();
    if (error == nullptr) return {0, "", false};
    base::Error named = *error;
    if (named.account.empty()) named.account = outcome.account;
    return refusal(named, outcome.temporary_exit);
  }

  base::Result<account::Configuration> load() const {
    if (around_.options.profile == account::Profile::system)
      return load_system(around_.options.config);
    // A host may forbid people's own configurations (user_profiles); then its own serves.
    const std::string system =
        cli::config_file(around_.environment, around_.person, account::Profile::system);
    if (access(system.c_str(), F_OK) == 0) {
      base::Result<account::Configuration> host = load_file(system, account::Profile::system);
      if (!host) return host;
      if (!host->user_profiles) return load_system(system);
    }
    return load_file(around_.options.config, account::Profile::person);
  }

  base::Result<account::Configuration> load_file(const std::string& file,
                                                 account::Profile profile) const {
    return account::load_configuration(paths_of(around_, file, profile));
  }

  // The system's accounts are the system agent's, unless the file says that there is none.
  base::Result<account::Configuration> load_system(const std::string& file) const {
    base::Result<account::Configuration> configuration = load_file(file, account::Profile::system);
    if (!configuration || configuration->agent_none) return configuration;
    return base::failure(
        base::Fault::unavailable, "the mailbearer agent does not answer",
        "see: systemctl status mailbearer (in a container: agent = none in " + file + ")");
  }

  base::Result<const account::Account*> choose(const account::Configuration& configuration,
                                               const mail::Submission& submission) const {
    account::Wish wish;
    wish.peer = submission.peer;
    wish.asked = submission.asked_account;
    wish.environment = around_.environment.account;
    wish.envelope = &submission.envelope;
    wish.header = &submission.message.header;
    base::Result<const account::Account*> chosen = account::choose(configuration, wish);
    if (!chosen) return chosen;
    const account::Delivery wanted = (*chosen)->delivery;
    if (wanted == account::Delivery::queue || wanted == account::Delivery::now_else_queue) {
      const char* setting = wanted == account::Delivery::queue ? "queue" : "now-else-queue";
      base::Error error = base::failure(
          base::Fault::config, std::string("delivery = ") + setting + " needs a running agent",
          "start the agent, or set delivery = now");
      error.account = (*chosen)->name;
      return error;
    }
    return chosen;
  }

  // The next message of this session may be another account's.
  static bool reads_keys(const account::Configuration& configuration) {
    const auto& all = configuration.accounts;
    return std::any_of(all.begin(), all.end(), [](const account::Account& one) {
      return !one.tls_client_certificate.empty();
    });
  }

  // For all messages of the session. What is known of servers outlives it, in the runtime folder.
  transport::Connections& connections(const std::string& runtime_dir) {
    if (!connections_) {
      known_.emplace(transport::KnownServers::Where::folder, runtime_dir);
      connections_.emplace(*known_);
    }
    return *connections_;
  }

  // For all messages of the session, so that its connection to Graph serves the next one.
  net::HelperProgram& helper() {
    if (!helper_) {
      helper_.emplace(base::sibling_program("mailbearer-helper", MAILBEARER_LIBEXEC),
                      cli::environment_for_child(around_.environment));
    }
    return *helper_;
  }

  const Surroundings& around_;
  std::optional<net::HelperProgram> helper_;
  std::optional<transport::KnownServers> known_;
  std::optional<transport::Connections> connections_;
};

}  // namespace

int serve_once(const Surroundings& around) {
  OneShot one_shot(around);
  submit::SessionRules rules;
  rules.peer.uid = around.person.uid;
  rules.peer.groups = {getgid()};
  rules.peer_login = around.person.login;
  net::FdStream stream{base::Fd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3))};
  stream.accept_files();
  rules.takes_files = true;
  rules.verifies = true;
  const base::Done served = submit::serve(
      stream, rules,
      [&one_shot](mail::Submission submission, const base::Trace& trace, bool more_to_come) {
        return one_shot.take(std::move(submission), trace, more_to_come);
      });
  // A front end that left early has committed nothing, and there is nobody to tell.
  return served.ok() ? 0 : 74;
}

}  // namespace agent
