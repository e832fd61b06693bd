#include "account/choose.h"

#include <grp.h>
#include <pwd.h>

#include "account/policy.h"
#include "account_files.h"

using account::Configuration;
using account::Profile;
using account::Wish;

namespace {

std::string section(const std::string& name, const std::string& user,
                    const std::string& rest = {}) {
  return "[account " + name + "]\nprovider = google\nclient_id = c\nuser = " + user + "\n" + rest;
}

mail::Mailbox mailbox(const std::string& text) {
  const auto parsed = mail::parse_mailbox(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

// One choice, with everything it needs kept alive.
struct Choice {
  const Configuration& configuration;
  Wish wish{};
  mail::Envelope envelope{};
  mail::Header header{};

  explicit Choice(const Configuration& chosen_from) : configuration(chosen_from) {
    wish.peer.uid = 12345;
  }
  Choice& sender(const std::string& text) {
    envelope.sender_given = true;
    if (!text.empty()) envelope.sender = mailbox(text);
    return *this;
  }
  Choice& from(const std::string& text) {
    header.append("From", text);
    return *this;
  }
  Choice& uid(uid_t value) {
    wish.peer.uid = value;
    return *this;
  }
  Choice& asked(const std::string& name) {
    wish.asked = name;
    return *this;
  }
  Choice& environment(const std::string& name) {
    wish.environment = name;
    return *this;
  }
  // The account's name, or "EXIT-LIKE FAULT: account: cause; cure".
  std::string answer() {
    wish.envelope = &envelope;
    wish.header = &header;
    const auto chosen = account::choose(configuration, wish);
    if (chosen.ok()) return (*chosen)->name;
    const char* fault = chosen.error().fault == base::Fault::not_permitted ? "77"
                        : chosen.error().fault == base::Fault::config      ? "78"
                                                                           : "?";
    return std::string(fault) + " (" + chosen.error().account + "): " + chosen.error().cause +
           "; " + chosen.error().cure;
  }
};

}  // namespace

TEST_CASE("choose: --account, then envelope sender, then From, then the default", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded("[mailbearer]\ndefault = work\n" + section("work", "me@work.example") +
                    section("home", "me@home.example", "from = me@home.example *@lists.example\n") +
                    section("box", "me@box.example"));
  CHECK(Choice(configuration).answer() == "work");
  CHECK(Choice(configuration).sender("me@home.example").answer() == "home");
  CHECK(Choice(configuration).from("Me <me@box.example>").answer() == "box");
  CHECK(Choice(configuration).sender("me@home.example").from("me@box.example").answer() == "home");
  CHECK(Choice(configuration).sender("x@lists.example").answer() == "home");
  CHECK(Choice(configuration).sender("").from("me@box.example").answer() == "box");
  CHECK(Choice(configuration).sender("me@home.example").asked("box").answer() == "box");
  CHECK(Choice(configuration).environment("home").answer() == "home");
  CHECK(Choice(configuration).environment("home").from("me@box.example").answer() == "box");
}

TEST_CASE("choose: an exact address beats a domain, a domain beats everything, then the default",
          "[account]") {
  const TestFolder folder;
  const std::string accounts = section("any", "any@a.example", "from = *\n") +
                               section("domain", "d@b.example", "from = *@x.example\n") +
                               section("exact", "e@c.example", "from = me@x.example\n") +
                               section("second", "s@d.example", "from = *@x.example\n");
  const Configuration configuration = folder.loaded(accounts);
  CHECK(Choice(configuration).sender("me@x.example").answer() == "exact");
  CHECK(Choice(configuration).sender("you@x.example").answer() == "domain");
  CHECK(Choice(configuration).sender("you@y.example").answer() == "any");
  const Configuration with_default = folder.loaded("[mailbearer]\ndefault = second\n" + accounts);
  CHECK(Choice(with_default).sender("you@x.example").answer() == "second");
  CHECK(Choice(with_default).sender("me@x.example").answer() == "exact");
}

TEST_CASE("choose: a sender that nobody may use is 77 with the accounts' names", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded("[mailbearer]\ndefault = work\n" + section("work", "me@work.example") +
                    section("gmail", "me@gmail.example"));
  const std::string refused =
      "77 (): no account may send as me@kernel.org (accounts: work, gmail); add it to `from` or "
      "use another -f";
  CHECK(Choice(configuration).sender("me@kernel.org").answer() == refused);
  CHECK(Choice(configuration).from("me@kernel.org").answer() == refused);
  // The From decides where the envelope sender fits nobody; what becomes of -f is prepare's.
  CHECK(Choice(configuration).sender("me@kernel.org").from("me@gmail.example").answer() == "gmail");
}

TEST_CASE("choose: an account that rewrites takes unknown senders", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded("[mailbearer]\ndefault = site\n" + section("site", "n@site.example") +
                        section("other", "o@other.example", "rewrite_from = never\n"),
                    Profile::system);
  CHECK(Choice(configuration).sender("me@kernel.org").answer() == "site");
  CHECK(Choice(configuration).from("me@kernel.org").answer() == "site");
}

TEST_CASE("choose: a local or unqualified sender asks for no account in particular", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded("[mailbearer]\ndefault = work\ndomain = hosts.example\n" +
                    section("work", "me@work.example") +
                    section("hosts", "h@hosts.example", "from = cron@hosts.example\n"));
  CHECK(Choice(configuration).from("root (Cron Daemon)").answer() == "work");
  CHECK(Choice(configuration).from("root@localhost").answer() == "work");
  CHECK(Choice(configuration).sender("cron").answer() == "hosts");
  CHECK(Choice(configuration).from("not an address at all @@").answer() == "work");
}

TEST_CASE("choose: allow_users admits users, uids and groups, and root always", "[account]") {
  const TestFolder folder;
  const Configuration configuration = folder.loaded(
      section("site", "n@site.example", "allow_users = daemon #4242 @adm\n"), Profile::system);
  const passwd* daemon = getpwnam("daemon");
  const group* adm = getgrnam("adm");
  REQUIRE(daemon != nullptr);
  REQUIRE(adm != nullptr);
  CHECK(Choice(configuration).uid(daemon->pw_uid).answer() == "site");
  CHECK(Choice(configuration).uid(4242).answer() == "site");
  CHECK(Choice(configuration).uid(0).answer() == "site");
  Choice in_group(configuration);
  in_group.wish.peer.groups = {adm->gr_gid};
  CHECK(in_group.answer() == "site");
  CHECK(Choice(configuration).uid(54321).answer() ==
        "77 (site): local user #54321 may not use this account; add #54321 to allow_users in " +
            folder.path + "/mailbearer.conf:5");
  const passwd* games = getpwnam("games");
  REQUIRE(games != nullptr);
  CHECK(Choice(configuration).uid(games->pw_uid).asked("site").answer() ==
        "77 (site): local user games may not use this account; add games to allow_users in " +
            folder.path + "/mailbearer.conf:5");
}

TEST_CASE("choose: a peer over the network is @listen and nobody else", "[account]") {
  const TestFolder folder;
  const Configuration closed =
      folder.loaded(section("site", "n@site.example", "allow_users = #0 #12345\n"));
  const Configuration open =
      folder.loaded(section("site", "n@site.example", "allow_users = @listen\n"));
  const auto over_network = [](const Configuration& configuration, uid_t uid) {
    Choice choice(configuration);
    choice.wish.peer.over_network = true;
    choice.wish.peer.uid = uid;
    return choice.answer();
  };
  CHECK(over_network(open, 0) == "site");
  CHECK(over_network(closed, 0).find("add @listen to allow_users") != std::string::npos);
  CHECK(over_network(closed, 12345).find("77 (site)") == 0);
  CHECK(Choice(open).answer().find("77 (site)") == 0);
}

TEST_CASE("choose: accounts that do not admit the peer take no part", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded("[mailbearer]\ndefault = site\n" +
                        section("site", "n@site.example", "allow_users = daemon\n") +
                        section("mine", "m@mine.example", "allow_users = #12345\n"),
                    Profile::system);
  CHECK(Choice(configuration).answer() == "mine");
  CHECK(Choice(configuration).sender("n@site.example").answer() == "mine");  // and is rewritten
  CHECK(Choice(configuration).uid(0).answer() == "site");
  CHECK(Choice(configuration).asked("site").answer().find("77 (site)") == 0);
}

TEST_CASE("choose: default_for comes before the environment and the default", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded("[mailbearer]\ndefault = site\n" + section("site", "n@site.example") +
                    section("web", "w@web.example", "default_for = daemon #12345\n"));
  CHECK(Choice(configuration).answer() == "web");
  CHECK(Choice(configuration).environment("site").answer() == "web");
  CHECK(Choice(configuration).uid(4).environment("web").answer() == "web");
  CHECK(Choice(configuration).uid(4).answer() == "site");
  CHECK(Choice(configuration).sender("n@site.example").answer() == "site");
}

TEST_CASE("choose: one account needs no default, two do", "[account]") {
  const TestFolder folder;
  const Configuration one = folder.loaded(section("only", "o@x.example"));
  CHECK(Choice(one).answer() == "only");
  const Configuration two =
      folder.loaded(section("a", "a@x.example") + section("b", "b@x.example"));
  CHECK(Choice(two).answer() ==
        "77 (): no account is the default (accounts: a, b); set default in " + folder.path +
            "/mailbearer.conf, or use --account");
  const Configuration none = folder.loaded("[mailbearer]\n");
  CHECK(Choice(none).answer().find("78 (): no [account] section in") == 0);
}

TEST_CASE("choose: an unknown account is 78 with the nearest name", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded(section("work", "a@x.example") + section("gmail", "b@x.example"));
  CHECK(Choice(configuration).asked("wrok").answer() ==
        "78 (): unknown account `wrok`; did you mean work?");
  CHECK(Choice(configuration).asked("zzzzzzzz").answer() ==
        "78 (): unknown account `zzzzzzzz`; accounts: work, gmail");
  CHECK(Choice(configuration).asked("a\nb").answer().find("a\\x0ab") != std::string::npos);
  CHECK(Choice(configuration).environment("gmial").answer() ==
        "78 (): unknown account `gmial`; did you mean gmail?");
}

TEST_CASE("choose: a faulty account gives its fault, the others go on", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded("[mailbearer]\ndefault = bad\n" + section("good", "g@x.example") +
                    section("bad", "b@x.example", "timeout = soon\n"));
  CHECK(Choice(configuration).answer().find("78 (bad): " + folder.path + "/mailbearer.conf:11") ==
        0);
  CHECK(Choice(configuration).sender("g@x.example").answer() == "good");
  CHECK(Choice(configuration).asked("bad").answer().find("78 (bad)") == 0);
}

TEST_CASE("choose: a fallback is asked anew who may use it", "[account]") {
  const TestFolder folder;
  const Configuration configuration =
      folder.loaded(section("work", "me@a.example", "fallback = backup\n") +
                    section("backup", "me@b.example", "allow_users = root\nfallback = work\n") +
                    section("torn", "me@c.example", "fallback = broken\n") +
                    section("broken", "me@d.example", "smtp_port = x\n"));
  mail::Peer somebody;
  somebody.uid = 54321;
  mail::Peer root;
  root.uid = 0;
  const auto next = [&](std::size_t of, const mail::Peer& peer) {
    return account::fallback_of(configuration, configuration.accounts.at(of), peer);
  };
  REQUIRE(next(0, root));
  CHECK((*next(0, root))->name == "backup");
  REQUIRE_FALSE(next(0, somebody));
  CHECK(next(0, somebody).error().fault == base::Fault::not_permitted);
  CHECK(next(0, somebody).error().account == "backup");
  CHECK((*next(1, somebody))->name == "work");
  CHECK_FALSE(next(2, root));
  CHECK(*next(3, root) == nullptr);
}
