#include "account/import_msmtp.h"

#include <algorithm>

#include "catch.h"

using account::Imported;

namespace {

std::vector<Imported> imported(const std::string& text) {
  const auto accounts = account::parse_msmtprc(text, "rc");
  REQUIRE(accounts.ok());
  const auto providers = account::Providers::load("etc/providers.conf");
  REQUIRE(providers.ok());
  return account::import_msmtp(*accounts, *providers, "/home/ann");
}

std::string value_of(const Imported& one, const std::string& key) {
  for (const account::Change& change : one.section.changes) {
    if (change.key == key) return change.value.value_or("");
  }
  return "-";
}

bool notes(const Imported& one, const std::string& words) {
  return std::any_of(one.notes.begin(), one.notes.end(), [&](const std::string& note) {
    return note.find(words) != std::string::npos;
  });
}

std::string fault(const std::string& text) {
  const auto accounts = account::parse_msmtprc(text, "rc");
  REQUIRE(!accounts.ok());
  CHECK(accounts.error().fault == base::Fault::config);
  return accounts.error().cause;
}

}  // namespace

TEST_CASE("msmtprc: defaults hold for the accounts behind them, and accounts take over others",
          "[account]") {
  const auto all = account::parse_msmtprc(
      "account first\nport 1\ndefaults\nport 2\ndefaults\ntimeout 5\naccount second\n  host "
      "\"b.example\" \n# no\naccount third : first , second\nfrom c@c.example\n",
      "rc");
  REQUIRE(all.ok());
  REQUIRE(all->size() == 3);
  CHECK((*all)[0].settings.count("timeout") == 0);
  CHECK((*all)[1].settings.at("port").value == "2");
  CHECK((*all)[1].settings.at("host").value == "b.example");
  CHECK((*all)[2].settings.at("port").value == "2");
  CHECK((*all)[2].settings.at("from").line == 11);
  CHECK((*all)[2].based_on == std::vector<std::string>{"first", "second"});
}

TEST_CASE("msmtprc: what cannot be read names its line", "[account]") {
  CHECK(fault("account a : b\n").find("rc:1: no account b") != std::string::npos);
  CHECK(fault("account a\naccount a\n").find("rc:2: account a stands twice") != std::string::npos);
  CHECK(fault("account\n").find("rc:1: account without a name") != std::string::npos);
  CHECK(fault("host a\033[2Jb\n").find("rc:1: a control byte") != std::string::npos);
  CHECK(fault("host a\xff\n").find("rc:1: bytes that are not UTF-8") != std::string::npos);
}

TEST_CASE("import msmtp: a known host is a provider, and its presets are not repeated",
          "[account]") {
  const auto all = imported(
      "account work\nhost SMTP.office365.com\nport 587\ntls on\nauth xoauth2\nuser a@corp.example\n"
      "from a@corp.example\npasswordeval oama\naccount default : work\n");
  REQUIRE(all.size() == 2);
  CHECK(value_of(all[0], "default") == "work");
  CHECK(value_of(all[1], "provider") == "microsoft");
  CHECK(all[1].section.changes.size() == 2);
  CHECK(value_of(all[1], "user") == "a@corp.example");
  CHECK(notes(all[1], "no token comes from outside"));
  CHECK(all[1].next == std::vector<std::string>{"mailbearer login work"});
}

TEST_CASE("import msmtp: Microsoft with a password becomes OAuth", "[account]") {
  const auto all = imported(
      "account w\nhost smtp.office365.com\nport 587\ntls on\nauth on\nuser "
      "a@corp.example\npassword "
      "x\n");
  CHECK(value_of(all[1], "auth") == "-");
  CHECK(notes(all[1], "Microsoft takes no passwords"));
}

TEST_CASE("import msmtp: a password is neither carried nor shown", "[account]") {
  const auto all = imported(
      "account a\nhost mail.example.org\nauth login\nuser me\nfrom me@example.org\npassword "
      "hunter2\ntls on\ntls_starttls off\n");
  const Imported& one = all[1];
  CHECK(value_of(one, "auth") == "login");
  CHECK(value_of(one, "auth_user") == "me");
  CHECK(value_of(one, "smtp_port") == "465");
  CHECK(value_of(one, "smtp_tls") == "implicit");
  CHECK(one.next == std::vector<std::string>{"mailbearer secret set a password"});
  std::string all_text;
  for (const account::Change& change : one.section.changes) all_text += *change.value;
  for (const std::string& note : one.notes) all_text += note;
  CHECK(all_text.find("hunter2") == std::string::npos);
}

TEST_CASE("import msmtp: a command that prints the password is not shown either", "[account]") {
  const auto all = imported(
      "account a\nhost mail.example.org\nauth on\nfrom me@example.org\nuser me@example.org\n"
      "passwordeval \"echo hunter2\"\n");
  CHECK(all[1].next == std::vector<std::string>{"THAT COMMAND | mailbearer secret set a password"});
}

TEST_CASE("import msmtp: patterns in from, and who signs in", "[account]") {
  const auto all = imported(
      "account a\nhost smtp.gmail.com\nauth xoauth2\nfrom *@corp.example\nuser ann@corp.example\n"
      "account b\nhost h.example\nfrom a?n@corp.example\nuser ann@corp.example\n"
      "account c\nhost h.example\nfrom nobody\n"
      "account d\nhost h.example\nfrom %U@h.example\n");
  CHECK(value_of(all[1], "user") == "ann@corp.example");
  CHECK(value_of(all[1], "from") == "ann@corp.example *@corp.example");
  CHECK(value_of(all[1], "auth_user") == "-");
  CHECK(value_of(all[2], "from") == "-");
  CHECK(notes(all[2], "a pattern is *@DOMAIN"));
  CHECK(notes(all[3], "no address of the account is told"));
  CHECK(value_of(all[4], "user") == "-");
}

TEST_CASE("import msmtp: what has no counterpart is said, what makes no difference is not",
          "[account]") {
  const auto all = imported(
      "account a\nhost h.example\nfrom a@h.example\ntls_certcheck off\nprotocol lmtp\nfrobnicate "
      "x\nset_date_header auto\nremove_bcc_headers on\nundisclosed_recipients off\ndsn_notify "
      "failure\ndomain localhost\ntimeout off\nset_from_header\n");
  const Imported& one = all[1];
  CHECK(notes(one, "tls_certcheck (line 4): certificates are always verified"));
  CHECK(notes(one, "protocol (line 5)"));
  CHECK(notes(one, "frobnicate (line 6): is not known here"));
  CHECK(notes(one, "dsn_notify"));
  CHECK(one.notes.size() == 4);
  CHECK(value_of(one, "rewrite_from") == "always");
  CHECK(value_of(one, "smtp_tls") == "none");
}

TEST_CASE("import msmtp: what msmtp says per account and we once", "[account]") {
  const auto all = imported(
      "defaults\nlogfile ~/log\naliases /etc/aliases\naccount a\nhost h.example\nfrom "
      "a@h.example\naccount b\nhost h.example\nfrom b@h.example\nlogfile /var/b\n");
  CHECK(value_of(all[0], "log") == "/home/ann/log");
  CHECK(value_of(all[0], "aliases") == "/etc/aliases");
  CHECK(notes(all[0], "log is one for all accounts"));
  CHECK(value_of(all[1], "log") == "-");
}

TEST_CASE("import msmtp: a value that our key does not take becomes a note", "[account]") {
  const auto all = imported(
      "account a b\nhost h.example\nfrom a@h.example\nport 99999\ntls_trust_file ca.pem\n");
  CHECK(all[1].section.section == "account a-b");
  CHECK(value_of(all[1], "smtp_port") == "-");
  CHECK(notes(all[1], "port (line 4): not taken over: 99999"));
  CHECK(notes(all[1], "tls_trust_file (line 5): not taken over"));
}
