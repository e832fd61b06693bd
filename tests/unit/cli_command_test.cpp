#include "cli/command.h"

#include "catch.h"

using cli::Command;
using cli::Verb;

namespace {

base::Result<Command> parsed(const std::vector<std::string>& words) {
  std::vector<const char*> argv = {"mailbearer"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  return cli::parse_command(static_cast<int>(argv.size()), argv.data());
}

std::string fault(const std::vector<std::string>& words) {
  const base::Result<Command> command = parsed(words);
  REQUIRE(!command.ok());
  CHECK(command.error().fault == base::Fault::usage);
  return command.error().cause + "; " + command.error().cure;
}

}  // namespace

TEST_CASE("command: verbs, operands and options in any order", "[cli]") {
  const auto set = parsed({"secret", "set", "--system", "work", "refresh-token"});
  REQUIRE(set.ok());
  CHECK(set->verb == Verb::secret_set);
  CHECK(set->operands == std::vector<std::string>{"work", "refresh-token"});
  CHECK(set->profile == account::Profile::system);
  const auto check = parsed({"--user", "config", "check"});
  REQUIRE(check.ok());
  CHECK(check->verb == Verb::config_check);
  CHECK(check->profile == account::Profile::person);
  const auto status = parsed({"secret", "status"});
  REQUIRE(status.ok());
  CHECK(status->operands.empty());
  CHECK(!status->profile);
  const auto dashed = parsed({"secret", "status", "--", "-work"});
  REQUIRE(dashed.ok());
  CHECK(dashed->operands == std::vector<std::string>{"-work"});
}

TEST_CASE("command: --help and --version win over everything behind them", "[cli]") {
  CHECK(parsed({"--help", "nonsense"})->verb == Verb::help);
  CHECK(parsed({"config", "--version"})->verb == Verb::version);
  CHECK(parsed({"help"})->verb == Verb::help);
}

TEST_CASE("command: explain takes any number of words, --json and --stage", "[cli]") {
  const auto plain = parsed({"explain", "550", "5.1.1", "User", "unknown"});
  REQUIRE(plain.ok());
  CHECK(plain->verb == Verb::explain);
  CHECK(plain->operands == std::vector<std::string>{"550", "5.1.1", "User", "unknown"});
  CHECK(plain->stage.empty());
  CHECK(!plain->json);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"explain", "--json", "--stage", "rcpt", "550"},
        std::vector<std::string>{"--stage=rcpt", "explain", "550", "--json"}}) {
    const auto full = parsed(words);
    REQUIRE(full.ok());
    CHECK(full->stage == "rcpt");
    CHECK(full->json);
    CHECK(full->operands == std::vector<std::string>{"550"});
  }
  CHECK(parsed({"explain", "-"})->operands == std::vector<std::string>{"-"});
  CHECK(parsed({"explain", "--", "--x"})->operands == std::vector<std::string>{"--x"});
  CHECK(fault({"explain"}) == "explain: words are missing; usage: mailbearer explain REPLY...");
  CHECK(fault({"explain", "550", "--stage"}) == "--stage needs a value; see: mailbearer --help");
  CHECK(fault({"config", "check", "--json"}) ==
        "config check takes no --json; usage: mailbearer config check");
  CHECK(fault({"explain", "550", "--stag=x"}).find("did you mean --stage?") != std::string::npos);
}

TEST_CASE("command: unknown words are named with the nearest known one", "[cli]") {
  CHECK(fault({"confg", "check"}) == "unknown verb `confg`; did you mean config?");
  CHECK(fault({"config", "chek"}) == "unknown word after config `chek`; did you mean check?");
  CHECK(fault({"config", "check", "--sytem"}) ==
        "unknown option `--sytem`; did you mean --system?");
  CHECK(fault({"zzzzzzzzzz"}) == "unknown verb `zzzzzzzzzz`; see: mailbearer --help");
  CHECK(fault({"a\nb"}).find("a\\x0ab") != std::string::npos);
}

TEST_CASE("command: missing and surplus words", "[cli]") {
  CHECK(fault({}) == "no verb given; see: mailbearer --help");
  CHECK(fault({"secret"}) == "secret needs one of: set, status, clear; see: mailbearer --help");
  CHECK(fault({"secret", "set", "work"}) ==
        "secret set: words are missing; usage: mailbearer secret set ACCOUNT KIND");
  CHECK(fault({"config", "show", "x"}).find("config show: too many words") == 0);
  CHECK(cli::parse_command(0, nullptr).ok() == false);
}

TEST_CASE("command: the help names every verb", "[cli]") {
  const std::string help = cli::command_help();
  for (const char* words :
       {"config check", "config show", "secret set", "secret status", "secret clear",
        "login [ADDRESS|ACCOUNT]", "doctor", "certificate", "refresh-token|client-secret"}) {
    CHECK(help.find(words) != std::string::npos);
  }
}

TEST_CASE("command: login's options are kept for it, and no other verb takes them", "[cli]") {
  const auto login = parsed({"login", "me@example.org", "--app", "--tenant", "t", "--set", "a=b",
                             "--set=c=d", "--wait=5m"});
  REQUIRE(login.ok());
  CHECK(login->verb == Verb::login);
  CHECK(login->has("--app"));
  CHECK(!login->has("--device"));
  CHECK(login->value("--tenant") == "t");
  CHECK(login->value("--wait") == "5m");
  CHECK(login->values("--set") == std::vector<std::string>{"a=b", "c=d"});
  CHECK(fault({"config", "check", "--app"}) ==
        "config check takes no --app; usage: mailbearer config check");
  CHECK(fault({"login", "--tenant"}) == "--tenant needs a value; see: mailbearer --help");
  CHECK(fault({"login", "--json"}).find("login takes no --json") == 0);
}

TEST_CASE("command: --user means an address when one follows, else one's own configuration",
          "[cli]") {
  const auto profile = parsed({"login", "--user"});
  REQUIRE(profile.ok());
  CHECK(profile->profile == account::Profile::person);
  CHECK(!profile->has("--user"));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"login", "site", "--system", "--user", "a@b.example"},
        std::vector<std::string>{"login", "--user=a@b.example", "--system", "site"}}) {
    const auto address = parsed(words);
    REQUIRE(address.ok());
    CHECK(address->profile == account::Profile::system);
    CHECK(address->value("--user") == "a@b.example");
    CHECK(address->operands == std::vector<std::string>{"site"});
  }
  CHECK(parsed({"config", "show", "--user"})->profile == account::Profile::person);
  CHECK(fault({"config", "show", "--user", "a@b.example"}).find("takes no address") !=
        std::string::npos);
}

TEST_CASE("command: the help of a verb names its options and no others", "[cli]") {
  const std::string login = cli::command_help("login");
  CHECK(login.find("--client-id ID") != std::string::npos);
  CHECK(login.find("--stage") == std::string::npos);
  CHECK(cli::command_help("secret").find("secret clear") != std::string::npos);
  CHECK(cli::command_help("zzz").empty());
  CHECK(parsed({"login", "--help"})->operands == std::vector<std::string>{"login"});
}
