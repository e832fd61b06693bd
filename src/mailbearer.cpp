// mailbearer: the person's command: configuration and secrets. Holds a secret only while it is on
// its way into the keyring; prints none.
#include <termios.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "account/choose.h"
#include "account/configuration.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "cli/profile.h"
#include "doctor/explain.h"
#include "doctor/pasted_reply.h"
#include "report/exit_code.h"
#include "token/keyring.h"
#include "transport/known_servers.h"

namespace {

using account::Account;
using base::Error;
using base::Fault;

constexpr std::size_t secret_limit_bytes = 64UL * 1024;

int complain(const Error& error) {
  std::string line = "mailbearer: ";
  if (!error.account.empty()) line += error.account + ": ";
  line += error.cause + (error.cure.empty() ? "" : "; " + error.cure) + "\n";
  (void)!write(STDERR_FILENO, line.data(), line.size());
  return report::exit_code(error.fault);
}

int say(const std::string& text) {
  const base::Done written = base::write_all(STDOUT_FILENO, text, "standard output");
  return written.ok() ? 0 : complain(written.error());
}

// Which configuration, and whose; the design's "Which profile" without a message to send.
struct Place {
  cli::Environment environment = cli::read_environment();
  cli::Person person = cli::person_of(getuid());
  account::ConfigurationPaths paths{};

  explicit Place(const cli::Command& command) {
    const bool root_means_host = getuid() == 0 && environment.config.empty();
    paths.profile = command.profile.value_or(root_means_host ? account::Profile::system
                                                             : account::Profile::person);
    paths.main_file = cli::config_file(environment, person, paths.profile);
    paths.providers_file = cli::providers_file();
    paths.default_keyring_dir = cli::default_keyring_dir(environment, person);
    paths.default_state_dir = cli::default_state_dir(environment, person, paths.profile);
  }
};

int config_check(const Place& place) {
  const std::vector<Error> faults = account::check_configuration(place.paths);
  int exit = 0;
  for (const Error& fault : faults) {
    const int code = complain(fault);
    if (exit == 0) exit = code;
  }
  return exit != 0 ? exit : say(place.paths.main_file + ": fine\n");
}

int config_show(const Place& place) {
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  return say(account::show_configuration(*loaded));
}

// While it lives, what is typed does not show.
class NoEcho {
 public:
  NoEcho() {
    active_ = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!active_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    const std::string prompt = "Secret (it does not show; end with Enter and Ctrl-D): ";
    (void)!write(STDERR_FILENO, prompt.data(), prompt.size());
  }
  ~NoEcho() {
    if (!active_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    (void)!write(STDERR_FILENO, "\n", 1);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

// Standard input to its end, less one line end.
base::Result<base::Secret> read_typed_secret() {
  const NoEcho no_echo;
  base::Result<base::Secret> typed =
      base::read_secret(STDIN_FILENO, secret_limit_bytes, "standard input");
  if (!typed) {
    if (typed.error().fault == Fault::io) return typed;
    return base::failure(Fault::bad_message, "secret is longer than 64 KiB");
  }
  std::string_view bytes = typed->reveal();
  if (!bytes.empty() && bytes.back() == '\n') bytes.remove_suffix(1);
  if (!bytes.empty() && bytes.back() == '\r') bytes.remove_suffix(1);
  if (bytes.empty()) {
    return base::failure(Fault::bad_message, "standard input holds no secret",
                         "give it on standard input: mailbearer secret set ACCOUNT KIND < FILE");
  }
  if (base::has_control(bytes)) {
    return base::failure(Fault::bad_message, "secret holds a line end or another control byte",
                         "give the secret alone, on one line");
  }
  return base::Secret(bytes);
}

base::Result<token::Kind> kind_of(const std::string& word) {
  const std::optional<token::Kind> kind = token::kind_of(word);
  if (kind) return *kind;
  const std::vector<std::string> known = {"refresh-token", "client-secret", "password",
                                          "key-passphrase"};
  const std::string near = base::nearest(word, known);
  return base::failure(Fault::usage, "unknown kind of secret `" + base::clean(word, 60) + "`",
                       near.empty() ? "use refresh-token, client-secret, password or key-passphrase"
                                    : "did you mean " + near + "?");
}

// The accounts that a command is about; none named: all. A faulty one is an error only when named:
// its secrets are bound to words that are not known yet.
base::Result<std::vector<Account>> accounts_of(const Place& place, const std::string& name) {
  base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return std::move(loaded).error();
  if (name.empty()) return std::move(loaded->accounts);
  base::Result<const Account*> found = account::find_account(*loaded, name);
  if (!found) return std::move(found).error();
  if ((*found)->broken) return *(*found)->broken;
  return std::vector<Account>{**found};
}

base::Result<std::unique_ptr<token::Keyring>> keyring_of(const Place& place,
                                                         const Account& account) {
  return token::open_keyring(account, {place.environment.credentials_directory});
}

// Where one secret of one account lies.
struct Slot {
  Account account;
  token::Kind kind;
  std::unique_ptr<token::Keyring> keyring;
};

base::Result<Slot> slot_of(const Place& place, const std::string& name, const std::string& word) {
  const base::Result<token::Kind> kind = kind_of(word);
  if (!kind) return kind.error();
  const base::Result<std::vector<Account>> accounts = accounts_of(place, name);
  if (!accounts) return accounts.error();
  base::Result<std::unique_ptr<token::Keyring>> keyring = keyring_of(place, accounts->front());
  if (!keyring) return std::move(keyring).error();
  return Slot{accounts->front(), *kind, std::move(*keyring)};
}

int secret_set(const Place& place, const std::string& name, const std::string& word,
               bool input_closed) {
  if (input_closed) {
    return complain(
        base::failure(Fault::io, "standard input is closed", "give the secret on standard input"));
  }
  const base::Result<Slot> slot = slot_of(place, name, word);
  if (!slot) return complain(slot.error());
  const base::Result<base::Secret> secret = read_typed_secret();
  if (!secret) return complain(secret.error());
  const base::Done stored = slot->keyring->store(slot->account, slot->kind, *secret);
  return stored.ok() ? 0 : complain(stored.error());
}

// Whoever takes a secret back wants nothing left that speaks for it: TLS sessions go, too.
void forget_sessions(const Place& place) {
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  const bool named = loaded.ok() && !loaded->runtime_dir.empty();
  transport::KnownServers(transport::KnownServers::Where::folder,
                          named ? loaded->runtime_dir : cli::runtime_dir(place.person.uid))
      .forget_sessions();
}

int secret_clear(const Place& place, const std::string& name, const std::string& word) {
  const base::Result<Slot> slot = slot_of(place, name, word);
  if (!slot) return complain(slot.error());
  const base::Result<bool> erased = slot->keyring->erase(slot->account, slot->kind);
  if (!erased) return complain(erased.error());
  forget_sessions(place);
  return *erased ? 0 : say(name + ": no " + word + " was stored\n");
}

// The file of its own that a secret may come from instead, or empty.
std::string file_of(const Account& account, token::Kind kind) {
  switch (kind) {
    case token::Kind::refresh_token:
      return account.refresh_token_file;
    case token::Kind::client_secret:
      return account.client_secret_file;
    case token::Kind::password:
      return account.password_file;
    case token::Kind::key_passphrase:
      break;
  }
  return {};
}

base::Result<std::string> status_of(const Account& account, token::Keyring& keyring) {
  std::string out = account.name + ": " + keyring.describe() + "\n";
  for (const token::Kind kind : {token::Kind::refresh_token, token::Kind::client_secret,
                                 token::Kind::password, token::Kind::key_passphrase}) {
    const base::Result<std::optional<base::Secret>> held = keyring.load(account, kind);
    if (!held) return held.error();
    std::string line = std::string("  ") + token::kind_name(kind);
    line.append(18 - line.size(), ' ');
    out += line + (held->has_value() ? "stored" : "none");
    const std::string file = file_of(account, kind);
    out += (file.empty() ? "" : "; read from " + file) + "\n";
  }
  return out;
}

int secret_status(const Place& place, const std::string& name) {
  const base::Result<std::vector<Account>> accounts = accounts_of(place, name);
  if (!accounts) return complain(accounts.error());
  int exit = 0;
  const auto fail = [&exit](const Error& error) {
    const int code = complain(error);
    if (exit == 0) exit = code;
  };
  for (const Account& account : *accounts) {
    if (account.broken) {
      fail(*account.broken);
      continue;
    }
    base::Result<std::unique_ptr<token::Keyring>> keyring = keyring_of(place, account);
    if (!keyring) {
      fail(keyring.error());
      continue;
    }
    const base::Result<std::string> status = status_of(account, **keyring);
    if (!status) {
      fail(status.error());
    } else if (const int code = say(*status); code != 0) {
      return code;
    }
  }
  return exit;
}

// The words of the command line, or standard input for the one word "-".
base::Result<std::string> pasted(const std::vector<std::string>& words, bool input_closed) {
  if (words.size() == 1 && words[0] == "-") {
    if (input_closed) return base::failure(Fault::io, "standard input is closed");
    base::Result<std::string> read =
        base::read_all(STDIN_FILENO, doctor::pasted_limit_bytes, "standard input");
    if (read || read.error().fault == Fault::io) return read;
    return base::failure(Fault::bad_message, "standard input is longer than 64 KiB",
                         "give the reply alone");
  }
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

int explain(const cli::Command& command, bool input_closed) {
  const base::Result<std::string> text = pasted(command.operands, input_closed);
  if (!text) return complain(text.error());
  const base::Result<doctor::Explanation> explained = doctor::explain(*text, command.stage);
  if (!explained) return complain(explained.error());
  return say(command.json ? doctor::explanation_json(*explained)
                          : doctor::explanation_text(*explained));
}

int run(const cli::Command& command, bool input_closed) {
  const auto operand = [&](std::size_t i) {
    return i < command.operands.size() ? command.operands[i] : std::string();
  };
  switch (command.verb) {
    case cli::Verb::help:
      return say(cli::command_help());
    case cli::Verb::version:
      return say("mailbearer " MAILBEARER_VERSION "\n");
    case cli::Verb::config_check:
      return config_check(Place(command));
    case cli::Verb::config_show:
      return config_show(Place(command));
    case cli::Verb::secret_set:
      return secret_set(Place(command), operand(0), operand(1), input_closed);
    case cli::Verb::secret_status:
      return secret_status(Place(command), operand(0));
    case cli::Verb::secret_clear:
      return secret_clear(Place(command), operand(0), operand(1));
    case cli::Verb::explain:
      return explain(command, input_closed);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool input_closed = base::settle_process();
  base::forbid_dumps();
  const base::Result<cli::Command> command = cli::parse_command(argc, argv);
  if (!command) return complain(command.error());
  return run(*command, input_closed);
}
