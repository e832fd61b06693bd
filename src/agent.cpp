// mailbearer-agent: owns policy, access tokens and SMTP connections. Here as one-shot (--once): one
// session on standard input, one message, no daemon, no spool.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "account/choose.h"
#include "account/configuration.h"
#include "base/crypto_library.h"
#include "base/file.h"
#include "base/process.h"
#include "cli/agent_options.h"
#include "cli/environment.h"
#include "cli/profile.h"
#include "mail/prepare.h"
#include "net/helper_program.h"
#include "net/stream.h"
#include "report/exit_code.h"
#include "report/tell.h"
#include "submit/serve.h"
#include "token/obtain.h"
#include "transport/connections.h"
#include "transport/deliver.h"
#include "transport/known_servers.h"
#include "transport/message_ids.h"

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
    base::Result<const account::Account*> chosen = choose(*configuration, submission);
    if (!chosen) return refusal(chosen.error(), configuration->temporary_exit);
    const account::Account& account = **chosen;
    base::Result<std::vector<base::Fate>> fates =
        send(*configuration, account, std::move(submission), trace, more_to_come);
    if (!fates) return named(fates.error(), account);
    if (const base::Error* error = report::deciding_error(*fates)) return named(*error, account);
    return {0, "", false};
  }

 private:
  static submit::Verdict named(base::Error error, const account::Account& account) {
    if (error.account.empty()) error.account = account.name;
    return refusal(error, account.temporary_exit);
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

  base::Result<std::vector<base::Fate>> send(const account::Configuration& configuration,
                                             const account::Account& account,
                                             mail::Submission submission, const base::Trace& trace,
                                             bool more_to_come) {
    // Before anything is unsealed: one message wants few algorithms, and no key of a file.
    base::start_crypto(reads_keys(configuration) ? base::Crypto::whole : base::Crypto::narrow);
    net::HelperProgram& helper = this->helper();
    token::Source::Places places;
    places.runtime_dir = configuration.runtime_dir.empty() ? cli::runtime_dir(person_.uid)
                                                           : configuration.runtime_dir;
    places.keyring.credentials_directory = environment_.credentials_directory;
    token::Source source(account, places, {[&helper] { return helper.open(); }});

    const transport::MessageIds message_ids(configuration.state_dir, account);
    message_ids.map(submission.message.header);
    base::Result<mail::Prepared> prepared =
        mail::prepare(std::move(submission), account::sender_rules(configuration, account));
    if (!prepared) return std::move(prepared).error();
    const bool auth_by_token =
        account.auth == account::Auth::xoauth2 || account.auth == account::Auth::oauthbearer;
    const bool by_token = auth_by_token || account.transport == account::Transport::graph;
    // A rotated refresh token must be stored before we may be ended.
    std::optional<base::SignalHold> unstored;
    if (by_token && account.grant == account::Grant::user) unstored.emplace();
    if (by_token) source.start();  // beside the dialogue, which needs it only at AUTH

    transport::Delivery delivery;
    delivery.account = &account;
    delivery.message = &*prepared;
    delivery.trace = trace;
    delivery.connections = &connections(places.runtime_dir);
    delivery.more_to_come = more_to_come;
    delivery.reencode = [&helper](const base::Scratch& whole, bool seven_bit) {
      return helper.reencode(whole, seven_bit);
    };
    delivery.ask = [&helper](const net::Record& request, base::Deadline deadline) {
      return helper.ask(request, deadline);
    };
    delivery.token = [&](bool fresh) -> base::Result<base::Secret> {
      if (fresh && account.grant == account::Grant::user && !unstored) unstored.emplace();
      base::Result<base::Secret> token =
          source.get(fresh ? token::Want::fresh : token::Want::usable);
      unstored.reset();
      return token;
    };
    delivery.credential = [&](bool fresh) {
      return auth_by_token ? delivery.token(fresh) : source.password();
    };
    std::vector<base::Fate> fates = transport::deliver(delivery);
    message_ids.remember(prepared->message.header, fates);
    return fates;
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
