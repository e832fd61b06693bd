#include "cli/command.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace cli {

namespace {

using base::Error;
using base::Fault;

struct Row {
  Verb verb;
  std::string_view word;
  std::string_view second;    // empty: the verb is one word
  std::string_view operands;  // as shown
  std::size_t least;
  std::size_t most;
  std::string_view does;
};

constexpr std::string_view kinds =
    "refresh-token|client-secret|password|key-passphrase|device-password";

// doctor/explain knows them.
constexpr std::string_view stages =
    "banner|ehlo|starttls|auth|password|mail|rcpt|data|end|\ntoken|machine|service-account|graph";

constexpr Row table[] = {
    {Verb::config_check, "config", "check", "", 0, 0, "tell every fault of the configuration"},
    {Verb::config_show, "config", "show", "", 0, 0,
     "print every value in force and where it comes from"},
    {Verb::secret_set, "secret", "set", "ACCOUNT KIND", 2, 2,
     "keep the secret that comes on standard input"},
    {Verb::secret_status, "secret", "status", "[ACCOUNT]", 0, 1, "tell which secrets are kept"},
    {Verb::secret_clear, "secret", "clear", "ACCOUNT KIND", 2, 2, "forget a secret"},
    {Verb::keyring_status, "keyring", "status", "[ACCOUNT]", 0, 1,
     "tell where credentials lie, and against whom that protects"},
    {Verb::keyring_migrate, "keyring", "migrate", "FROM TO [ACCOUNT]", 2, 3,
     "move credentials: secret-service, file"},
    {Verb::logout, "logout", "", "ACCOUNT", 1, 1, "sign out, and forget the credential"},
    {Verb::token, "token", "", "ACCOUNT", 1, 1, "print an access token, into a pipe"},
    {Verb::refresh, "refresh", "", "[ACCOUNT|--all]", 0, 1,
     "renew sign-ins that nobody has used for a week"},
    {Verb::explain, "explain", "", "REPLY...", 1, SIZE_MAX,
     "tell what a server's reply means (-: standard input)"},
    {Verb::login, "login", "", "[ADDRESS|ACCOUNT]", 0, 2,
     "set an account up, sign it in, send a test message"},
    {Verb::accounts, "accounts", "", "", 0, 0, "list the accounts"},
    {Verb::status, "status", "", "", 0, 0, "tell how it stands with the agent and its queue"},
    {Verb::queue_list, "queue", "list", "", 0, 0, "list what waits"},
    {Verb::queue_show, "queue", "show", "ID", 1, 1, "tell all of one message"},
    {Verb::queue_retry, "queue", "retry", "[ID...]", 0, SIZE_MAX, "try again now; no ID: all"},
    {Verb::queue_hold, "queue", "hold", "ID...", 1, SIZE_MAX, "keep messages back"},
    {Verb::queue_release, "queue", "release", "ID...", 1, SIZE_MAX, "let them go again"},
    {Verb::queue_remove, "queue", "remove", "ID...", 1, SIZE_MAX, "drop messages for good"},
    {Verb::test, "test", "", "[ACCOUNT]", 0, 1, "send a test message, as any program would"},
    {Verb::doctor, "doctor", "", "[ACCOUNT]", 0, 1,
     "walk the way of a message step by step, without sending"},
    {Verb::certificate, "certificate", "", "ACCOUNT", 1, 1,
     "make the key and certificate of an app-only account"},
    {Verb::setup, "setup", "", "PROGRAM", 1, 1,
     "show how git, mutt, php, symfony, django or cron send through here"},
    {Verb::import_from, "import", "", "msmtp [FILE]", 1, 2,
     "show the accounts of another program's configuration as ours"},
    {Verb::help, "help", "", "[VERB|setup PROVIDER]", 0, 2, "print this"},
    {Verb::version, "version", "", "", 0, 0, "print the version"},
};

// Which verbs take an option; no bit: all of them.
constexpr std::uint64_t of(Verb verb) {
  return std::uint64_t{1} << static_cast<unsigned>(verb);
}
constexpr std::uint64_t all_verbs = 0;

struct Option {
  std::string_view word;
  std::string_view value;  // what its value is called; empty: it takes none
  std::uint64_t verbs;
  std::string_view does;  // for the help of its verbs
  // nullptr: it is kept in Command::options.
  void (*take)(Command&, const std::string& value) = nullptr;
  bool ends = false;  // nothing behind it is looked at
};

constexpr std::uint64_t login = of(Verb::login);

constexpr Option options[] = {
    {"--system", "", all_verbs, "the configuration of the host (implied for root)",
     [](Command& command, const std::string&) { command.profile = account::Profile::system; }},
    {"--user", "", all_verbs, "your own configuration",
     [](Command& command, const std::string&) { command.profile = account::Profile::person; }},
    {"--json", "",
     of(Verb::explain) | of(Verb::accounts) | of(Verb::doctor) | of(Verb::keyring_status) |
         of(Verb::status) | of(Verb::queue_list) | of(Verb::queue_show),
     "as JSON", [](Command& command, const std::string&) { command.json = true; }},
    {"--stage", "STAGE", of(Verb::explain), "where the reply came",
     [](Command& command, const std::string& value) { command.stage = value; }},
    {"--check", "", of(Verb::status), "for monitoring: exit 0 fine, 1 warning, 2 critical"},
    // login: what it would ask
    {"--name", "ACCOUNT", login, "name of a new account"},
    {"--provider", "NAME", login, "a section of providers.conf; default: by the address"},
    {"--transport", "smtp|graph|auto", login, "auto: SMTP, and Graph where SMTP sign-in is off"},
    {"--app", "", login, "sign in as an application, without a person (grant = app)"},
    {"--grant", "GRANT", login, "user, app, managed-identity, federated or service-account"},
    {"--app-password", "", login, "sign in with an app password (auth = plain)"},
    {"--tenant", "TENANT", login, "domain or id of the organisation"},
    {"--client-id", "ID", login, "of the application that you registered"},
    {"--certificate", "FILE", login, "PEM file with the application's key and certificate"},
    {"--secret-stdin", "", login, "client secret or password on standard input"},
    {"--from", "ADDRESSES", login, "what the account may send as"},
    {"--auth-user", "NAME", login, "who signs in, if that is not the address"},
    {"--keyring", "secret-service|file", login, "where the credential is kept"},
    {"--set", "KEY=VALUE", login, "any other key of the account; may be repeated"},
    {"--default", "", login, "make it the default account"},
    // login: how
    {"--browser", "", login, "sign in by a browser on this machine"},
    {"--paste", "", login, "sign in by a browser anywhere, and paste its last address"},
    {"--device", "", login, "sign in by a code that you type on another device"},
    {"--wait", "TIME", login, "how long to wait, and to try a new application again: 30m"},
    {"--if-needed", "", login, "do nothing where the account is signed in already"},
    {"--no-test", "", login, "do not send a test message"},
    {"--print-admin-request", "", login, "print what the organisation's administrator has to do"},
    // the others
    {"--to", "ADDRESS", of(Verb::test), "send it there; default: to the account itself"},
    {"--days", "N", of(Verb::certificate), "how long it is good for; default 730"},
    {"--replace", "", of(Verb::certificate), "in place of the one that is there"},
    {"--all", "", of(Verb::refresh), "every account that nobody has used for a week"},
    {"--apply", "", of(Verb::setup) | of(Verb::import_from),
     "write the settings, where that is safe"},
    {"--help", "", all_verbs, "print this",
     [](Command& command, const std::string&) { command.verb = Verb::help; }, true},
    {"-h", "", all_verbs, "",
     [](Command& command, const std::string&) { command.verb = Verb::help; }, true},
    {"--version", "", all_verbs, "print the version",
     [](Command& command, const std::string&) { command.verb = Verb::version; }, true},
};

Error unknown(const char* what, const std::string& word, const std::vector<std::string>& known) {
  const std::string near = base::nearest(word, known);
  return base::failure(Fault::usage,
                       std::string("unknown ") + what + " `" + base::clean(word, 60) + "`",
                       near.empty() ? "see: mailbearer --help" : "did you mean " + near + "?");
}

std::string name_of(const Row& row) {
  return std::string(row.word) + (row.second.empty() ? "" : " " + std::string(row.second));
}

std::string usage_of(const Row& row) {
  return "mailbearer " + name_of(row) +
         (row.operands.empty() ? "" : " " + std::string(row.operands));
}

// The words that may stand first, or behind `first`; each once.
std::vector<std::string> known_words(std::string_view first) {
  std::vector<std::string> out;
  for (const Row& row : table) {
    const std::string_view word = first.empty() ? row.word : row.second;
    if (!first.empty() && row.word != first) continue;
    if (std::find(out.begin(), out.end(), word) == out.end()) out.emplace_back(word);
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// The row that the first words name; the words are taken away.
base::Result<const Row*> take_verb(std::vector<std::string>& words) {
  const std::string first = words.front();
  const std::vector<std::string> firsts = known_words({});
  if (std::find(firsts.begin(), firsts.end(), first) == firsts.end()) {
    return unknown("verb", first, firsts);
  }
  for (const Row& row : table) {
    if (row.word != first) continue;
    if (!row.second.empty() && (words.size() < 2 || words[1] != row.second)) continue;
    words.erase(words.begin(), words.begin() + (row.second.empty() ? 1 : 2));
    return &row;
  }
  const std::vector<std::string> seconds = known_words(first);
  if (words.size() < 2) {
    return base::failure(Fault::usage, first + " needs one of: " + joined(seconds),
                         "see: mailbearer --help");
  }
  return unknown(("word after " + first).c_str(), words[1], seconds);
}

// The words of the command line one after the other, and what has been made of them.
struct Line {
  int argc;
  const char* const* argv;
  int at = 1;
  Command command{};
  std::vector<std::string> words{};
  std::vector<const Option*> taken{};
};

base::Result<std::string> value_for(const Option& option, const std::string& word, Line& line) {
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos) return word.substr(equals + 1);
  if (line.at + 1 < line.argc) return std::string(line.argv[++line.at]);
  return base::failure(Fault::usage, std::string(option.word) + " needs a value",
                       "see: mailbearer --help");
}

// `--user ADDRESS` means the account's user; `--user` alone one's own configuration
// (docs/decisions/0026).
bool takes_address(const std::string& word, Line& line) {
  constexpr std::string_view with_value = "--user=";
  if (word.starts_with(with_value)) {
    line.command.options.emplace_back("--user", word.substr(with_value.size()));
    return true;
  }
  if (word != "--user" || line.at + 1 >= line.argc) return false;
  const std::string_view next = line.argv[line.at + 1];
  if (next.find('@') == std::string_view::npos) return false;
  line.command.options.emplace_back("--user", next);
  ++line.at;
  return true;
}

base::Result<const Option*> take_option(const std::string& word, Line& line) {
  std::vector<std::string> known;
  for (const Option& option : options) {
    known.emplace_back(option.word);
    const bool with_value =
        !option.value.empty() && word.starts_with(std::string(option.word) + "=");
    if (option.word != word && !with_value) continue;
    std::string value;
    if (!option.value.empty()) {
      base::Result<std::string> given = value_for(option, word, line);
      if (!given) return std::move(given).error();
      value = std::move(*given);
    }
    if (option.take != nullptr) {
      option.take(line.command, value);
    } else {
      line.command.options.emplace_back(option.word, value);
    }
    line.taken.push_back(&option);
    return &option;
  }
  return unknown("option", word, known);
}

bool fits(const Option& option, Verb verb) {
  return option.verbs == all_verbs || (option.verbs & of(verb)) != 0;
}

// An option that the verb would pass over in silence.
base::Done judge_options(const Line& line, const Row& row) {
  for (const Option* option : line.taken) {
    if (fits(*option, row.verb)) continue;
    return base::failure(Fault::usage, name_of(row) + " takes no " + std::string(option->word),
                         "usage: " + usage_of(row));
  }
  if (!line.command.value("--user").empty() && row.verb != Verb::login) {
    return base::failure(Fault::usage, name_of(row) + " takes no address behind --user",
                         "usage: " + usage_of(row));
  }
  return base::done();
}

}  // namespace

base::Result<Command> parse_command(int argc, const char* const* argv) {
  Line line{argc, argv};
  bool options_over = false;
  for (; line.at < argc; ++line.at) {
    const std::string word = argv[line.at];
    if (options_over || word.size() < 2 || word[0] != '-') {
      line.words.push_back(word);
    } else if (word == "--") {
      options_over = true;
    } else if (!takes_address(word, line)) {
      base::Result<const Option*> taken = take_option(word, line);
      if (!taken) return std::move(taken).error();
      if ((*taken)->ends) {
        line.command.operands = std::move(line.words);
        return std::move(line.command);
      }
    }
  }
  std::vector<std::string>& words = line.words;
  if (words.empty()) {
    return base::failure(Fault::usage, "no verb given", "see: mailbearer --help");
  }
  base::Result<const Row*> row = take_verb(words);
  if (!row) return std::move(row).error();
  base::Done fitting = judge_options(line, **row);
  if (!fitting) return std::move(fitting).error();
  if (words.size() < (*row)->least || words.size() > (*row)->most) {
    return base::failure(Fault::usage,
                         name_of(**row) + (words.size() < (*row)->least ? ": words are missing"
                                                                        : ": too many words"),
                         "usage: " + usage_of(**row));
  }
  line.command.verb = (*row)->verb;
  line.command.operands = std::move(words);
  return std::move(line.command);
}

bool Command::has(std::string_view option) const {
  return std::any_of(options.begin(), options.end(),
                     [&](const auto& each) { return each.first == option; });
}

std::string Command::value(std::string_view option) const {
  const std::vector<std::string> all = values(option);
  return all.empty() ? std::string() : all.back();
}

std::vector<std::string> Command::values(std::string_view option) const {
  std::vector<std::string> out;
  for (const auto& [word, value] : options) {
    if (word == option) out.push_back(value);
  }
  return out;
}

namespace {

constexpr std::size_t help_column = 40;

void add_line(std::string& out, std::string left, std::string_view right) {
  left.append(left.size() < help_column ? help_column - left.size() : 2, ' ');
  out += left + std::string(right) + "\n";
}

}  // namespace

std::string command_help() {
  std::string out = "usage: mailbearer VERB [ACCOUNT] [options]\n\n";
  for (const Row& row : table) {
    add_line(out, "  " + usage_of(row).substr(std::string_view("mailbearer ").size()), row.does);
  }
  out += "\nKIND is " + std::string(kinds) + ".\n";
  out += "explain takes --json, and --stage " + std::string(stages) + ".\n";
  out += "--system is the configuration of the host (implied for root), --user your own.\n";
  out += "The options of a verb: mailbearer help VERB.\n";
  return out;
}

std::string command_help(std::string_view verb) {
  std::string out;
  std::uint64_t named = 0;
  for (const Row& row : table) {
    if (row.word != verb) continue;
    named |= of(row.verb);
    out += "usage: " + usage_of(row) + " [options]\n  " + std::string(row.does) + "\n";
  }
  if (named == 0) return {};
  out += "\n";
  for (const Option& option : options) {
    if (option.does.empty() || (option.verbs != all_verbs && (option.verbs & named) == 0)) continue;
    add_line(out,
             "  " + std::string(option.word) +
                 (option.value.empty() ? "" : " " + std::string(option.value)),
             option.does);
  }
  return out;
}

}  // namespace cli
