#include "mail/rewrite.h"

#include <chrono>

#include "catch.h"

namespace {

using RewriteFrom = mail::SenderRules::RewriteFrom;
using Targets = base::Result<std::optional<std::vector<mail::Mailbox>>>;

mail::SenderRules site(RewriteFrom how = RewriteFrom::automatic) {
  mail::SenderRules rules;
  rules.account = "site";
  rules.user = {"noreply", "contoso.com"};
  rules.from = {"noreply@contoso.com", "*@apps.contoso.com"};
  rules.rewrite_from = how;
  rules.sender_domain = "contoso.com";
  rules.local_domains = {"localhost", "vm", "vm.example.net"};
  return rules;
}

struct Case {
  mail::Envelope envelope{};
  mail::Header header{};
  explicit Case(const char* from = nullptr) {
    if (from != nullptr) header.fields.push_back({"From", from});
  }
  Case& sender(mail::Mailbox mailbox) {
    envelope.sender_given = true;
    envelope.sender = std::move(mailbox);
    return *this;
  }
  Case& field(const char* name, const char* body) {
    header.fields.push_back({name, body});
    return *this;
  }
  std::string body(const char* name) const {
    const mail::Field* found = header.find(name);
    return found == nullptr ? "(none)" : found->body;
  }
};

std::string rewritten(const char* from, RewriteFrom how = RewriteFrom::automatic) {
  Case one(from);
  const base::Done done = mail::rewrite_senders(site(how), one.envelope, one.header);
  return done.ok() ? one.body("From") : "error: " + done.error().cause;
}

}  // namespace

TEST_CASE("rewrite: patterns of from", "[mail]") {
  mail::SenderRules rules = site();
  rules.from = {"a@b.org", "*@apps.contoso.com", "*@*.wild.org", "ops@*"};
  CHECK(mail::matches_from(rules, {"noreply", "contoso.com"}));  // the user always counts
  CHECK(mail::matches_from(rules, {"NoReply", "CONTOSO.com."}));
  CHECK(mail::matches_from(rules, {"A", "B.ORG"}));
  CHECK(mail::matches_from(rules, {"x", "Apps.Contoso.Com"}));
  CHECK_FALSE(mail::matches_from(rules, {"x", "sub.apps.contoso.com"}));
  CHECK(mail::matches_from(rules, {"x", "one.two.wild.org"}));
  CHECK_FALSE(mail::matches_from(rules, {"x", "wild.org"}));
  CHECK_FALSE(mail::matches_from(rules, {"x", "notwild.org"}));
  CHECK(mail::matches_from(rules, {"ops", "anything.net"}));
  CHECK_FALSE(mail::matches_from(rules, {"x", "evilapps.contoso.com"}));
  CHECK_FALSE(mail::matches_from(rules, {}));
  CHECK(mail::matches_from(rules, {"noreply", ""}));  // completed with the sender domain
  rules.from = {"*"};
  CHECK(mail::matches_from(rules, {"any", "where.org"}));
  rules.from = {"x@exämple.org"};
  CHECK(mail::matches_from(rules, {"x", "xn--exmple-cua.org"}));
}

TEST_CASE("rewrite: reverse-path is -f when the account may use it", "[mail]") {
  Case one(" root@vm");
  one.sender({"shop", "apps.contoso.com"});
  REQUIRE(mail::rewrite_senders(site(), one.envelope, one.header).ok());
  CHECK(one.envelope.sender.text() == "shop@apps.contoso.com");
}

TEST_CASE("rewrite: reverse-path falls back to From, then to user", "[mail]") {
  Case one(" Shop <shop@apps.contoso.com>");
  one.sender({"root", "vm"});
  REQUIRE(mail::rewrite_senders(site(), one.envelope, one.header).ok());
  CHECK(one.envelope.sender.text() == "shop@apps.contoso.com");
  CHECK(one.body("From") == " Shop <shop@apps.contoso.com>");
  Case other(" x@elsewhere.org");
  other.sender({"root", "vm"});
  REQUIRE(mail::rewrite_senders(site(), other.envelope, other.header).ok());
  CHECK(other.envelope.sender.text() == "noreply@contoso.com");
  Case bare;
  REQUIRE(mail::rewrite_senders(site(), bare.envelope, bare.header).ok());
  CHECK(bare.envelope.sender.text() == "noreply@contoso.com");
}

TEST_CASE("rewrite: never refuses another -f and another From with 77", "[mail]") {
  Case one(" noreply@contoso.com");
  one.sender({"x", "contoso.com"});
  const base::Done done = mail::rewrite_senders(site(RewriteFrom::never), one.envelope, one.header);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().fault == base::Fault::not_permitted);
  CHECK(done.error().cause == "noreply@contoso.com may not send as x@contoso.com");
  CHECK(done.error().account == "site");
  CHECK(rewritten(" Me <me@kernel.org>", RewriteFrom::never) ==
        "error: noreply@contoso.com may not send as me@kernel.org");
  CHECK(rewritten(" a@apps.contoso.com, me@kernel.org", RewriteFrom::never) ==
        "error: noreply@contoso.com may not send as me@kernel.org");
  CHECK(rewritten(" a@apps.contoso.com", RewriteFrom::never) == " a@apps.contoso.com");
}

TEST_CASE("rewrite: under never a login name is nobody's address and becomes user", "[mail]") {
  CHECK(rewritten(" Alice A <alice>", RewriteFrom::never) == " Alice A <noreply@contoso.com>");
}

TEST_CASE("rewrite: R21: the null sender stays where the provider takes it", "[mail]") {
  Case one(" noreply@contoso.com");
  one.sender({});
  REQUIRE(mail::rewrite_senders(site(), one.envelope, one.header).ok());
  CHECK(one.envelope.sender.null());
  CHECK(one.header.fields.size() == 1);
}

TEST_CASE("rewrite: A9: a null sender that becomes user is marked as automatic", "[mail]") {
  mail::SenderRules rules = site(RewriteFrom::never);
  rules.null_sender = false;
  Case one(" noreply@contoso.com");
  one.sender({});
  REQUIRE(mail::rewrite_senders(rules, one.envelope, one.header).ok());
  CHECK(one.envelope.sender.text() == "noreply@contoso.com");
  CHECK(one.body("Auto-Submitted") == " auto-replied");
  CHECK(one.body("X-Auto-Response-Suppress") == " All");
  Case two(" noreply@contoso.com");
  two.sender({}).field("auto-submitted", " auto-generated");
  REQUIRE(mail::rewrite_senders(rules, two.envelope, two.header).ok());
  CHECK(two.header.count("Auto-Submitted") == 1);
  CHECK(two.body("Auto-Submitted") == " auto-generated");
}

TEST_CASE("rewrite: auto keeps the display name and all other bytes", "[mail]") {
  CHECK(rewritten(" root (Cron Daemon)") == " noreply@contoso.com (Cron Daemon)");
  CHECK(rewritten(" Fail2Ban <root@vm>") == " Fail2Ban <noreply@contoso.com>");
  CHECK(rewritten(" \"A, B\"\r\n <x@y.org>") == " \"A, B\"\r\n <noreply@contoso.com>");
  CHECK(rewritten(" a@apps.contoso.com  ") == " a@apps.contoso.com  ");
}

TEST_CASE("rewrite: a name that looks like an address is dropped", "[mail]") {
  CHECK(rewritten(" \"x@y.org\" <x@y.org>") == "  <noreply@contoso.com>");
  CHECK(rewritten(" x@y.org (x@y.org)") == " noreply@contoso.com ");
}

TEST_CASE("rewrite: Reply-To keeps the way back to an original that is not local", "[mail]") {
  Case one(" Ann <ann@example.org>");
  REQUIRE(mail::rewrite_senders(site(), one.envelope, one.header).ok());
  CHECK(one.body("From") == " Ann <noreply@contoso.com>");
  CHECK(one.body("Reply-To") == " Ann <ann@example.org>");
  Case local(" Fail2Ban <root@vm>");
  REQUIRE(mail::rewrite_senders(site(), local.envelope, local.header).ok());
  CHECK(local.body("Reply-To") == "(none)");
  Case own(" ann@example.org");
  own.field("reply-to", " b@example.org");
  REQUIRE(mail::rewrite_senders(site(), own.envelope, own.header).ok());
  CHECK(own.body("Reply-To") == " b@example.org");
  Case empty(" ann@example.org");
  empty.field("Reply-To", " ");
  REQUIRE(mail::rewrite_senders(site(), empty.envelope, empty.header).ok());
  CHECK(empty.body("Reply-To") == " ann@example.org");
}

TEST_CASE("rewrite: several From mailboxes hold user once", "[mail]") {
  CHECK(rewritten(" a@x.org, B <b@y.org>, c@apps.contoso.com") ==
        " noreply@contoso.com, c@apps.contoso.com");
  CHECK(rewritten(" noreply@contoso.com, b@y.org") == " noreply@contoso.com");
  CHECK(rewritten(" a@x.org, b@apps.contoso.com", RewriteFrom::always) == " noreply@contoso.com");
}

TEST_CASE("rewrite: user that stands behind a mailbox that is not allowed stays the only one",
          "[mail]") {
  const char* all_to_one[][2] = {
      {" Foo <evil@x.org>, Me <noreply@contoso.com>", " Me <noreply@contoso.com>"},
      {" a@x.org, b@y.org, Me <NoReply@Contoso.com>", " Me <NoReply@Contoso.com>"},
      {" a@x.org,\r\n Me <noreply@contoso.com>,\r\n b@y.org", " Me <noreply@contoso.com>"},
      {" a@x.org, noreply", " noreply"},  // completed with the sender domain later
  };
  for (const auto& [from, expected] : all_to_one) CHECK(rewritten(from) == expected);
  CHECK(rewritten(" a@x.org, b@apps.contoso.com, c@y.org, noreply@contoso.com") ==
        " b@apps.contoso.com, noreply@contoso.com");
  CHECK(rewritten(" b@apps.contoso.com, noreply@contoso.com", RewriteFrom::always) ==
        " noreply@contoso.com");
  Case one(" Foo <evil@x.org>, Me <noreply@contoso.com>");
  one.field("Sender", " evil@x.org");
  REQUIRE(mail::rewrite_senders(site(), one.envelope, one.header).ok());
  CHECK(one.body("Sender") == "(none)");  // one author is left
}

TEST_CASE("rewrite: several authors get user as Sender where none stands (5.1.20)", "[mail]") {
  for (const RewriteFrom how : {RewriteFrom::automatic, RewriteFrom::never}) {
    Case one(" a@apps.contoso.com, b@apps.contoso.com");
    REQUIRE(mail::rewrite_senders(site(how), one.envelope, one.header).ok());
    CHECK(one.body("Sender") == " noreply@contoso.com");
    Case empty(" a@apps.contoso.com, b@apps.contoso.com");
    empty.field("Sender", " ");
    REQUIRE(mail::rewrite_senders(site(how), empty.envelope, empty.header).ok());
    CHECK(empty.body("Sender") == " noreply@contoso.com");
    CHECK(empty.header.count("Sender") == 1);
  }
  Case many(" a@apps.contoso.com, b@apps.contoso.com");
  many.field("Sender", " x@vm").field("X-A", " 1").field("Sender", " y@vm").field("X-B", " 2");
  REQUIRE(mail::rewrite_senders(site(), many.envelope, many.header).ok());
  CHECK(many.header.text() ==
        "From: a@apps.contoso.com, b@apps.contoso.com\r\nSender: noreply@contoso.com\r\n"
        "X-A: 1\r\nX-B: 2\r\n");
}

TEST_CASE("rewrite: a header of 100,000 fields takes no quadratic time", "[mail]") {
  for (const bool replies : {false, true}) {
    Case one(" noreply@contoso.com");
    if (replies)
      one.header.fields.resize(100'001, {"From", "a@b"});
    else
      one.header.fields.resize(100'001, {"Sender", "a"});
    one.field("X-Last", " 1");
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(mail::rewrite_senders(site(), one.envelope, one.header).ok());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    CHECK(taken.count() < 6.0);  // quadratic: 15 s and more
    CHECK(one.header.fields.size() == (replies ? 100'003 : 2));
    CHECK(one.body("X-Last") == " 1");
    CHECK(one.header.count("Reply-To") == (replies ? 1 : 0));
  }
}

TEST_CASE("rewrite: always makes every From user", "[mail]") {
  CHECK(rewritten(" Shop <shop@apps.contoso.com>", RewriteFrom::always) ==
        " Shop <noreply@contoso.com>");
  CHECK(rewritten(" NOREPLY@contoso.com", RewriteFrom::always) == " NOREPLY@contoso.com");
}

TEST_CASE("rewrite: a From that cannot be read or names nobody becomes user", "[mail]") {
  CHECK(rewritten(" Team:;") == " noreply@contoso.com");
  CHECK(rewritten(" \"open <a@b>") == " noreply@contoso.com");
  CHECK(rewritten(" Bob Smith bob@x.org") == " noreply@contoso.com");
  CHECK(rewritten(" <>") == " noreply@contoso.com");
  CHECK(rewritten(" Team:;", RewriteFrom::never).rfind("error: the From field", 0) == 0);
}

TEST_CASE("rewrite: signed messages are never rewritten", "[mail]") {
  for (const char* type :
       {" multipart/signed; micalg=pgp-sha256;\r\n boundary=x",
        " Application/PKCS7-Mime; smime-type=signed-data", "application/x-pkcs7-mime"}) {
    Case one(" ann@example.org");
    one.field("Content-Type", type);
    const base::Done done =
        mail::rewrite_senders(site(RewriteFrom::always), one.envelope, one.header);
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().fault == base::Fault::not_permitted);
    CHECK(done.error().cause.find("signed") != std::string::npos);
    Case fine(" shop@apps.contoso.com");
    fine.field("Content-Type", type);
    REQUIRE(mail::rewrite_senders(site(RewriteFrom::always), fine.envelope, fine.header).ok());
    CHECK(fine.body("From") == " shop@apps.contoso.com");
  }
}

TEST_CASE("rewrite: a bare login name in a signed message becomes user in every mode", "[mail]") {
  for (const RewriteFrom how : {RewriteFrom::automatic, RewriteFrom::always, RewriteFrom::never}) {
    for (const auto& [from, expected] :
         {std::pair{" alice", " noreply@contoso.com"},
          std::pair{" Alice A <alice>", " Alice A <noreply@contoso.com>"}}) {
      Case one(from);
      one.field("Content-Type", " multipart/signed; boundary=x");
      REQUIRE(mail::rewrite_senders(site(how), one.envelope, one.header).ok());
      CHECK(one.body("From") == expected);
      CHECK(one.body("Reply-To") == "(none)");
    }
    for (const char* refused : {" alice@vm", " alice, a@apps.contoso.com", " ann@example.org",
                                " G: alice;", " alice, ann@example.org"}) {
      INFO(refused);
      Case one(refused);
      one.field("Content-Type", " application/pkcs7-mime");
      const base::Done done = mail::rewrite_senders(site(how), one.envelope, one.header);
      REQUIRE_FALSE(done.ok());
      CHECK(done.error().fault == base::Fault::not_permitted);
    }
  }
  mail::SenderRules rules = site(RewriteFrom::always);
  rules.from = {"*@contoso.com"};
  Case one(" alice");
  one.field("Content-Type", " multipart/signed; boundary=x");
  REQUIRE(mail::rewrite_senders(rules, one.envelope, one.header).ok());
  CHECK(one.body("From") == " noreply@contoso.com");
}

TEST_CASE("rewrite: a group in From becomes its mailboxes", "[mail]") {
  for (const RewriteFrom how : {RewriteFrom::automatic, RewriteFrom::always}) {
    for (const char* from : {" G:ceo@contoso.com;", " G: The Chief <ceo@contoso.com>;"}) {
      Case one(from);
      REQUIRE(mail::rewrite_senders(site(how), one.envelope, one.header).ok());
      CHECK(one.body("From") == " noreply@contoso.com");
      CHECK(one.body("Reply-To") == " ceo@contoso.com");
    }
    CHECK(rewritten(" G: noreply@contoso.com;", how) == " noreply@contoso.com");
    CHECK(rewritten(" Team: a@x.org;, noreply@contoso.com", how) == " noreply@contoso.com");
    CHECK(rewritten(" Team: a@x.org, noreply@contoso.com;", how) == " noreply@contoso.com");
  }
  CHECK(rewritten(" G: a@apps.contoso.com, b@x.org;") ==
        " a@apps.contoso.com, noreply@contoso.com");
  CHECK(rewritten(" G:;, Me <noreply@contoso.com>") == " G:;, Me <noreply@contoso.com>");
  CHECK(rewritten(" G: alice;", RewriteFrom::never) == " noreply@contoso.com");
  CHECK(rewritten(" G: a@apps.contoso.com;", RewriteFrom::never) == " G: a@apps.contoso.com;");
}

TEST_CASE("rewrite: an encoded word torn by a colon or comma leaves no half behind", "[mail]") {
  for (const char* from :
       {" =?utf-8?q?a=0D=0AX-I:1?= <ceo@x.org>", " =?utf-8?Q?Team,_A?= <ceo@x.org>"}) {
    Case one(from);
    REQUIRE(mail::rewrite_senders(site(), one.envelope, one.header).ok());
    CHECK(one.body("From") == " noreply@contoso.com");
    CHECK(one.body("Reply-To") == " ceo@x.org");
  }
  for (const char* from :
       {" =?utf-8?q?a:1?= <noreply@contoso.com>", " =?utf-8?Q?Team,_A?= <noreply@contoso.com>"}) {
    for (const RewriteFrom how : {RewriteFrom::automatic, RewriteFrom::never}) {
      Case one(from);
      REQUIRE(mail::rewrite_senders(site(how), one.envelope, one.header).ok());
      CHECK(one.body("From") == from);
      CHECK(one.body("Sender") == "(none)");  // one author
    }
  }
  CHECK(rewritten(" =?utf-8?Q?Ann?=") == " noreply@contoso.com");
  CHECK(rewritten(" a@x.org, =?utf-8?Q?B") == " noreply@contoso.com");
}

TEST_CASE("rewrite: a Sender that may not be used goes, or becomes user for several authors",
          "[mail]") {
  Case one(" shop@apps.contoso.com");
  one.field("Sender", " www-data@vm");
  REQUIRE(mail::rewrite_senders(site(), one.envelope, one.header).ok());
  CHECK(one.body("Sender") == "(none)");
  Case two(" a@apps.contoso.com, b@apps.contoso.com");
  two.field("Sender", " www-data@vm");
  REQUIRE(mail::rewrite_senders(site(), two.envelope, two.header).ok());
  CHECK(two.body("Sender") == " noreply@contoso.com");
  Case fine(" shop@apps.contoso.com");
  fine.field("Sender", " b@apps.contoso.com");
  REQUIRE(mail::rewrite_senders(site(), fine.envelope, fine.header).ok());
  CHECK(fine.body("Sender") == " b@apps.contoso.com");
  Case refused(" noreply@contoso.com");
  refused.field("Sender", " x@y.org");
  CHECK_FALSE(
      mail::rewrite_senders(site(RewriteFrom::never), refused.envelope, refused.header).ok());
}

// --- Recipients.

namespace {

Targets some(std::initializer_list<mail::Mailbox> targets) {
  return std::optional<std::vector<mail::Mailbox>>(targets);
}

mail::SenderRules with_aliases() {
  mail::SenderRules rules = site();
  rules.alias = [](const std::string& local) -> Targets {
    if (local == "root") return some({{"ops", "contoso.com"}});
    if (local == "team") return some({{"a", "x.org"}, {"b", "x.org"}, {"root", ""}});
    if (local == "loop") return some({{"pool", "localhost"}});
    if (local == "pool") return some({{"loop", ""}});
    if (local == "self") return some({{"self", ""}, {"s", "x.org"}});
    if (local == "wide") return some({{"bö", "exämple.org"}});
    if (local == "evil") return base::failure(base::Fault::config, "forbidden target");
    return Targets(std::nullopt);
  };
  return rules;
}

std::string resolved(const mail::SenderRules& rules,
                     std::initializer_list<mail::Mailbox> mailboxes) {
  mail::Envelope envelope;
  for (const mail::Mailbox& mailbox : mailboxes) envelope.recipients.push_back({mailbox});
  const base::Done done = mail::resolve_recipients(rules, envelope);
  if (!done.ok()) return "error: " + done.error().cause + "; " + done.error().cure;
  std::string out;
  for (const mail::Recipient& one : envelope.recipients) out += one.mailbox.text() + " ";
  return out;
}

}  // namespace

TEST_CASE("rewrite: R36: local names go through aliases, each target once", "[mail]") {
  const mail::SenderRules rules = with_aliases();
  CHECK(resolved(rules, {{"root", ""}}) == "ops@contoso.com ");
  CHECK(resolved(rules, {{"root", "localhost"}, {"root", "VM"}, {"ops", "Contoso.COM"}}) ==
        "ops@contoso.com ");
  CHECK(resolved(rules, {{"team", ""}, {"b", "x.org"}}) == "a@x.org b@x.org ops@contoso.com ");
  CHECK(resolved(rules, {{"self", ""}}) == "s@x.org ");
  CHECK(resolved(rules, {{"wide", ""}}) == "bö@xn--exmple-cua.org ");
}

TEST_CASE("rewrite: R36: a local name that nothing covers is 67 with the cure", "[mail]") {
  mail::SenderRules rules = with_aliases();
  const std::string refused = resolved(rules, {{"bob", "x.org"}, {"alice", "vm.example.net"}});
  CHECK(refused.find("alice") != std::string::npos);
  CHECK(refused.find("local_mail_to") != std::string::npos);
  CHECK(refused.find("aliases") != std::string::npos);
  mail::Envelope envelope;
  envelope.recipients.push_back({{"alice", ""}});
  CHECK(mail::resolve_recipients(rules, envelope).error().fault == base::Fault::bad_recipient);
  rules.local_mail_to = {mail::Mailbox{"ops", "contoso.com"}};
  CHECK(resolved(rules, {{"alice", ""}, {"bob", ""}}) == "ops@contoso.com ");
}

TEST_CASE("rewrite: a circle of aliases ends in local_mail_to or 67", "[mail]") {
  mail::SenderRules rules = with_aliases();
  CHECK(resolved(rules, {{"loop", ""}}).rfind("error:", 0) == 0);
  rules.local_mail_to = {mail::Mailbox{"ops", "contoso.com"}};
  CHECK(resolved(rules, {{"loop", ""}}) == "ops@contoso.com ");
  CHECK(resolved(rules, {{"evil", ""}}) == "error: forbidden target; ");
}

TEST_CASE("rewrite: recipients keep what was asked for them", "[mail]") {
  mail::Envelope envelope;
  envelope.recipients.push_back({{"team", ""}, "NEVER", "rfc822;team"});
  REQUIRE(mail::resolve_recipients(with_aliases(), envelope).ok());
  REQUIRE(envelope.recipients.size() == 3);
  CHECK(envelope.recipients[2].notify == "NEVER");
  CHECK(envelope.recipients[2].orcpt == "rfc822;team");
}

TEST_CASE("rewrite: R35: header addresses are completed and nothing else changes", "[mail]") {
  const auto qualify = [](const char* name, const char* body) {
    mail::Header header;
    header.fields.push_back({name, body});
    mail::qualify_header(with_aliases(), header);
    return header.fields[0].body;
  };
  CHECK(qualify("From", " root (Cron Daemon)") == " root@contoso.com (Cron Daemon)");
  CHECK(qualify("From", " Anacron <root>") == " Anacron <root@contoso.com>");
  CHECK(qualify("From", " Logwatch") == " Logwatch@contoso.com");
  CHECK(qualify("To", " root ") == " ops@contoso.com ");
  CHECK(qualify("to", " alice") == " alice@contoso.com");
  CHECK(qualify("Cc", " \"B, C\" <bob>,\r\n\troot (x, y),ann@x.org") ==
        " \"B, C\" <bob@contoso.com>,\r\n\tops@contoso.com (x, y),ann@x.org");
  CHECK(qualify("To", " Team: bob, root;, c@d.org") ==
        " Team: bob@contoso.com, ops@contoso.com;, c@d.org");
  CHECK(qualify("To", " team") == " team@contoso.com");  // several targets: no single address
  CHECK(qualify("To", " undisclosed-recipients:;") == " undisclosed-recipients:;");
  CHECK(qualify("Reply-To", " \"john doe\"") == " \"john doe\"@contoso.com");
  CHECK(qualify("Resent-To", " root") == " ops@contoso.com");
  CHECK(qualify("To", " bob@x,\r\n  Ann  < ann@y > ( c ) ") ==
        " bob@x,\r\n  Ann  < ann@y > ( c ) ");
  CHECK(qualify("To", " bob@example.org  x") == " bob@example.org  x");
  CHECK(qualify("To", " \"open root") == " \"open root");
  CHECK(qualify("X-To", " root") == " root");
  CHECK(qualify("To", " =?utf-8?Q?Team,_A?= <a@x.example>, bob") ==
        " =?utf-8?Q?Team,_A?= <a@x.example>, bob@contoso.com");
  CHECK(qualify("From", " =?utf-8?Q?Ann?=") == " =?utf-8?Q?Ann?=");
}
