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

constexpr std::string_view kinds = "refresh-token|client-secret|password|key-passphrase";

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
    {Verb::help, "help", "", "", 0, 0, "print this"},
    {Verb::version, "version", "", "", 0, 0, "print the version"},
};

// Which verbs take an option; no bit: all of them.
constexpr std::uint64_t of(Verb verb) {
  return std::uint64_t{1} << static_cast<unsigned>(verb);
}
constexpr std::uint64_t all_verbs = 0;

struct Option {
  std::string_view word;
  void (*take)(Command&, const std::string& value);
  bool ends;       // nothing behind it is looked at
  bool has_value;  // the next word, or what follows "="
  std::uint64_t verbs = all_verbs;
};

constexpr Option options[] = {
    {"--system",
     [](Command& command, const std::string&) { command.profile = account::Profile::system; },
     false, false},
    {"--user",
     [](Command& command, const std::string&) { command.profile = account::Profile::person; },
     false, false},
    {"--json", [](Command& command, const std::string&) { command.json = true; }, false, false,
     of(Verb::explain) | of(Verb::keyring_status)},
    {"--all", [](Command& command, const std::string&) { command.all = true; }, false, false,
     of(Verb::refresh)},
    {"--stage", [](Command& command, const std::string& value) { command.stage = value; }, false,
     true, of(Verb::explain)},
    {"--help", [](Command& command, const std::string&) { command.verb = Verb::help; }, true,
     false},
    {"-h", [](Command& command, const std::string&) { command.verb = Verb::help; }, true, false},
    {"--version", [](Command& command, const std::string&) { command.verb = Verb::version; }, true,
     false},
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

// Verbs that cures name (design section 7) and that this version lacks: what to do instead.
struct LaterVerb {
  std::string_view word;
  const char* instead;
};
constexpr LaterVerb later_verbs[] = {
    {"login",
     "put the secret in by hand: mailbearer secret set ACCOUNT refresh-token (with grant = app: "
     "client-secret)"},
    {"doctor", "see: mailbearer config check, and what the server says: sendmail -v"},
    {"test", "send a message: sendmail -v ADDRESS"},
};

// The row that the first words name; the words are taken away.
base::Result<const Row*> take_verb(std::vector<std::string>& words) {
  const std::string first = words.front();
  const std::vector<std::string> firsts = known_words({});
  for (const LaterVerb& later : later_verbs) {
    if (later.word == first) {
      return base::failure(Fault::usage, first + " is not part of this version", later.instead);
    }
  }
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

base::Result<const Option*> take_option(const std::string& word, Line& line) {
  std::vector<std::string> known;
  for (const Option& option : options) {
    known.emplace_back(option.word);
    const bool with_value = option.has_value && word.starts_with(std::string(option.word) + "=");
    if (option.word != word && !with_value) continue;
    std::string value;
    if (option.has_value) {
      base::Result<std::string> given = value_for(option, word, line);
      if (!given) return std::move(given).error();
      value = std::move(*given);
    }
    option.take(line.command, value);
    line.taken.push_back(&option);
    return &option;
  }
  return unknown("option", word, known);
}

// An option that the verb would pass over in silence.
base::Done judge_options(const Line& line, const Row& row) {
  for (const Option* option : line.taken) {
    if (option->verbs == all_verbs || (option->verbs & of(row.verb)) != 0) continue;
    return base::failure(Fault::usage, name_of(row) + " takes no " + std::string(option->word),
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
    } else {
      base::Result<const Option*> taken = take_option(word, line);
      if (!taken) return std::move(taken).error();
      if ((*taken)->ends) return std::move(line.command);
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

std::string command_help() {
  constexpr std::size_t column = 40;
  std::string out = "usage: mailbearer VERB [ACCOUNT] [options]\n\n";
  for (const Row& row : table) {
    std::string line = "  " + usage_of(row).substr(std::string_view("mailbearer ").size());
    line.append(line.size() < column ? column - line.size() : 2, ' ');
    out += line + std::string(row.does) + "\n";
  }
  out += "\nKIND is " + std::string(kinds) + ".\n";
  out += "keyring status and explain take --json, explain --stage " + std::string(stages) + ".\n";
  out += "--system is the configuration of the host (implied for root), --user your own.\n";
  return out;
}

}  // namespace cli
