// mailbearer-agent: owns policy, access tokens and SMTP connections. Here as one-shot (--once): one
// session on standard input, one message, no daemon, no spool.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

#include "account/choose.h"
#include "account/configuration.h"
#include "base/crypto_library.h"
#include "base/file.h"
#include "base/process.h"
#include "cli/agent_options.h"
#include "cli/environment.h"
#include "cli/profile.h"
#include "net/helper_program.h"
#include "net/stream.h"
#include "report/exit_code.h"
#include "report/log.h"
#include "report/tell.h"
#include "submit/serve.h"
#include "transport/connections.h"
#include "transport/known_servers.h"
#include "walk/one_message.h"

namespace {

submit::Verdict refusal(const base::Error& error, std::int64_t temporary_exit) {
  submit::Verdict verdict;
  verdict.exit = report::with_temporary_exit(report::exit_code(error.fault), temporary_exit);
  verdict.text = report::tell(error);
  verdict.may_help_to_repeat = error.kind != base::FaultClass::permanent;
  return verdict;
}

// One message, from submission to verdict: the walk that docs/architecture.md tells.
class OneShot {
 public:
  OneShot(const cli::AgentOptions& options, const cli::Environment& environment,
          const cli::Person& person)
      : options_(options), environment_(environment), person_(person) {}

  submit::Verdict take(mail::Submission submission, const base::Trace& trace, bool more_to_come) {
    const base::FoldersOnce folders_once;
    base::Result<account::Configuration> configuration = load();
    if (!configuration) return refusal(configuration.error(), 0);
    // Before anything is unsealed: one message wants few algorithms, and no key of a file.
    base::start_crypto(reads_keys(*configuration) ? base::Crypto::whole : base::Crypto::narrow);
    base::Result<const account::Account*> chosen = choose(*configuration, submission);
    const report::Log log(configuration->log, report::addresses_of(configuration->log_addresses));
    if (!chosen) {
      walk::log_refusal(log, submission, chosen.error());
      return refusal(chosen.error(), configuration->temporary_exit);
    }
    walk::Stage stage;
    stage.configuration = &*configuration;
    stage.helper = &helper();
    stage.runtime_dir = configuration->runtime_dir.empty() ? cli::runtime_dir(person_.uid)
                                                           : configuration->runtime_dir;
    stage.credentials_directory = environment_.credentials_directory;
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
    if (options_.profile == account::Profile::system) return load_system(options_.config);
    // A host may forbid people's own configurations (user_profiles); then its own serves.
    const std::string system = cli::config_file(environment_, person_, account::Profile::system);
    if (access(system.c_str(), F_OK) == 0) {
      base::Result<account::Configuration> host = load_file(system, account::Profile::system);
      if (!host) return host;
      if (!host->user_profiles) return load_system(system);
    }
    return load_file(options_.config, account::Profile::person);
  }

  base::Result<account::Configuration> load_file(const std::string& file,
                                                 account::Profile profile) const {
    account::ConfigurationPaths paths;
    paths.main_file = file;
    paths.providers_file = cli::providers_file();
    paths.site_providers_file = cli::site_providers_file();
    paths.profile = profile;
    paths.default_keyring_dir = cli::default_keyring_dir(environment_, person_);
    paths.default_state_dir = cli::default_state_dir(environment_, person_, profile);
    paths.needed_providers_only = true;
    return account::load_configuration(paths);
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
    wish.environment = environment_.account;
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
                      cli::environment_for_child(environment_));
    }
    return *helper_;
  }

  const cli::AgentOptions& options_;
  const cli::Environment& environment_;
  const cli::Person& person_;
  std::optional<net::HelperProgram> helper_;
  std::optional<transport::KnownServers> known_;
  std::optional<transport::Connections> connections_;
};

int serve_once(const cli::AgentOptions& options) {
  const cli::Environment environment = cli::read_environment();
  const cli::Person person = cli::person_of(getuid());
  OneShot one_shot(options, environment, person);
  submit::SessionRules rules;
  rules.peer.uid = person.uid;
  rules.peer.groups = {getgid()};
  rules.peer_login = person.login;
  net::FdStream stream{base::Fd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3))};
  stream.accept_files();
  rules.takes_files = true;
  const base::Done served = submit::serve(
      stream, rules,
      [&one_shot](mail::Submission submission, const base::Trace& trace, bool more_to_come) {
        return one_shot.take(std::move(submission), trace, more_to_come);
      });
  // A front end that left early has committed nothing, and there is nobody to tell.
  return served.ok() ? 0 : 74;
}

}  // namespace

int main(int argc, char** argv) {
  base::settle_process();
  base::forbid_dumps();
  std::signal(SIGHUP, SIG_IGN);  // R7: the caller's terminal may go while we deliver
  base::Result<cli::AgentOptions> options = cli::parse_agent_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "mailbearer-agent: %s\n", report::tell(options.error()).c_str());
    return report::exit_code(options.error().fault);
  }
  if (options->show_version) {
    std::puts("mailbearer-agent " MAILBEARER_VERSION);
    return 0;
  }
  return serve_once(*options);
}
