#include "account/aliases.h"

#include "account/choose.h"
#include "account_files.h"

using account::Aliases;

namespace {

const std::string table =
    "# comment\n"
    "postmaster: root\n"
    "Root: alice,\n"
    "\tops@contoso.com\n"
    "# a comment between\n"
    "\n"
    "alice: \"Alice A\" <alice@example.org>\n"
    "\"quoted name\": a@b.example, c@d.example\n"
    "web: |/bin/sh\n"
    "file: /var/mail/x\n"
    "list: :include:/etc/list\n"
    "quoted: \"|/bin/sh -c x, y\"\n"
    "one: two\ntwo: one\n"
    "self: self, s@example.org\n"
    "final: \\final\n"
    "bob: carol\n"
    "root: never@example.org\n"
    "bad: a b c\n"
    "empty:\n"
    "here: alice@localhost\n";

// "a@b c@d +local", "none", or the fault's text.
std::string look_up(const Aliases& aliases, const std::string& name) {
  const auto answer = aliases.resolve(
      name, [](const mail::Mailbox& mailbox) { return mailbox.domain == "localhost"; });
  if (!answer) {
    return (answer.error().fault == base::Fault::bad_recipient ? "67 " : "? ") +
           answer.error().cause;
  }
  if (!*answer) return "none";
  std::string out;
  for (const mail::Mailbox& mailbox : (*answer)->mailboxes) out += mailbox.text() + " ";
  for (const std::string& local : (*answer)->local) out += "+" + local + " ";
  return out.substr(0, out.size() - 1);
}

Aliases parsed(const std::string& text) {
  auto aliases = Aliases::parse(text, "f");
  REQUIRE(aliases.ok());
  return std::move(*aliases);
}

}  // namespace

TEST_CASE("aliases: names, chains, continuation lines, quotes, any case (R36)", "[account]") {
  const Aliases aliases = parsed(table);
  CHECK(look_up(aliases, "alice") == "alice@example.org");
  CHECK(look_up(aliases, "ROOT") == "ops@contoso.com alice@example.org");
  CHECK(look_up(aliases, "Postmaster") == "ops@contoso.com alice@example.org");
  CHECK(look_up(aliases, "quoted name") == "a@b.example c@d.example");
  CHECK(look_up(aliases, "here") == "alice@example.org");
  CHECK(look_up(aliases, "nobody") == "none");
}

TEST_CASE("aliases: programs, files and lists are refused with the line", "[account]") {
  const Aliases aliases = parsed(table);
  CHECK(look_up(aliases, "web") == "67 f:9: alias of web is a program, which is refused");
  CHECK(look_up(aliases, "file") == "67 f:10: alias of file is a file, which is refused");
  CHECK(look_up(aliases, "list").find("is an included list") != std::string::npos);
  CHECK(look_up(aliases, "quoted").find("is a program") != std::string::npos);
  CHECK(look_up(aliases, "bad") == "67 f:19: `a b c` is no address");
  CHECK(look_up(aliases, "empty").find("leads to no address") != std::string::npos);
}

TEST_CASE("aliases: circles end, self and backslash mean the local name", "[account]") {
  const Aliases aliases = parsed(table);
  CHECK(look_up(aliases, "one").find("67 f:13: alias one leads to no address") == 0);
  CHECK(look_up(aliases, "self") == "s@example.org +self");
  CHECK(look_up(aliases, "final") == "+final");
  CHECK(look_up(aliases, "bob") == "+carol");
}

TEST_CASE("aliases: a long chain ends, a wide one is refused, 1 MiB is the limit", "[account]") {
  std::string chain;
  for (int i = 0; i < 900; ++i) {
    chain += "n" + std::to_string(i) + ": n" + std::to_string(i + 1) + "\n";
  }
  CHECK(look_up(parsed(chain + "n900: end@example.org\n"), "n0") == "end@example.org");
  std::string wide = "all: x0@example.org";
  for (int i = 1; i < 1500; ++i) wide += ", x" + std::to_string(i) + "@example.org";
  CHECK(look_up(parsed(wide + "\n"), "all").find("over 1000 targets") != std::string::npos);
  const TestFolder folder;
  CHECK_FALSE(Aliases::load(folder.write("big", std::string(1024 * 1024 + 1, '#'))).ok());
}

TEST_CASE("aliases: no file means no aliases, a file of others is refused", "[account]") {
  const TestFolder folder;
  const auto missing = Aliases::load(folder.path + "/none");
  REQUIRE(missing.ok());
  CHECK(look_up(*missing, "root") == "none");
  const auto open = Aliases::load(folder.write("aliases", "root: a@b.example\n", 0666));
  REQUIRE(!open.ok());
  CHECK(open.error().fault == base::Fault::config);
  CHECK_FALSE(Aliases::parse("no colon here\n", "f").ok());
  CHECK_FALSE(Aliases::parse(": a@b.example\n", "f").ok());
}

TEST_CASE("sender rules: aliases and local_mail_to cover local names", "[account]") {
  const TestFolder folder;
  const std::string aliases =
      folder.write("aliases", "root: alice\nmix: alice, m@x.example\nweb: w@x.example\n");
  const std::string account =
      "[account a]\nprovider = google\nclient_id = c\nuser = me@example.org\n"
      "from = *@example.org\n";
  const auto with =
      folder.loaded("[mailbearer]\nlocal_mail_to = ops@x.example\naliases = " + aliases +
                    "\ndomain = x.example\n" + account);
  const mail::SenderRules rules = account::sender_rules(with, with.accounts[0]);
  CHECK(rules.user.text() == "me@example.org");
  CHECK(rules.from == std::vector<std::string>{"*@example.org"});
  CHECK(rules.sender_domain == "x.example");
  REQUIRE(rules.local_mail_to.size() == 1);
  REQUIRE(!rules.local_domains.empty());
  CHECK(rules.local_domains[0] == "localhost");
  const auto text = [](const mail::SenderRules& of, const std::string& name) -> std::string {
    const auto answer = of.alias(name);
    if (!answer) return "fault: " + answer.error().cause;
    if (!*answer) return "none";
    std::string out;
    for (const mail::Mailbox& mailbox : **answer) out += mailbox.text() + " ";
    return out;
  };
  CHECK(text(rules, "web") == "w@x.example ");
  CHECK(text(rules, "root") == "ops@x.example ");
  CHECK(text(rules, "mix") == "m@x.example ops@x.example ");
  CHECK(text(rules, "other") == "none");
  const auto without = folder.loaded("[mailbearer]\naliases = " + aliases + "\n" + account);
  const mail::SenderRules bare = account::sender_rules(without, without.accounts[0]);
  CHECK(text(bare, "root") == "none");
  CHECK(text(bare, "mix").find("fault: alias mix leads to local name alice") == 0);
}

TEST_CASE("sender rules: the alias file is opened at the first look-up only", "[account]") {
  const TestFolder folder;
  const std::string aliases = folder.write("aliases", "root: a@x.example\n", 0666);
  const auto configuration = folder.loaded("[mailbearer]\naliases = " + aliases +
                                           "\n[account a]\nprovider = google\nclient_id = c\n"
                                           "user = me@example.org\n");
  const mail::SenderRules rules = account::sender_rules(configuration, configuration.accounts[0]);
  CHECK_FALSE(rules.alias("root").ok());
  chmod(aliases.c_str(), 0600);
  const mail::SenderRules again = account::sender_rules(configuration, configuration.accounts[0]);
  chmod(aliases.c_str(), 0666);
  CHECK_FALSE(again.alias("root").ok());
}
