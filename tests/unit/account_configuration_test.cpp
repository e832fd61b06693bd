#include "account/configuration.h"

#include "account_files.h"

using account::Account;
using account::Configuration;
using account::Profile;

namespace {

const std::string generic =
    "[account work]\nprovider = smtp\nuser = me@example.org\nsmtp_host = mail.example.org\n"
    "client_id = c\ntoken_endpoint = https://id.example.org/token\n";

std::string load_fault(const TestFolder& folder, const std::string& text) {
  const auto answer = folder.load(text);
  REQUIRE(!answer.ok());
  CHECK(answer.error().fault == base::Fault::config);
  const std::string file = folder.path + "/mailbearer.conf";
  std::string out = answer.error().cause + "; " + answer.error().cure;
  const auto at = out.find(file);
  return at == std::string::npos ? out : out.replace(at, file.size(), "FILE");
}

// The first account is broken: its text.
std::string account_fault(const TestFolder& folder, const std::string& text,
                          Profile profile = Profile::person) {
  const Configuration configuration = folder.loaded(text, profile);
  const Account& account = configuration.accounts.at(0);
  REQUIRE(account.broken);
  CHECK(account.broken->fault == base::Fault::config);
  CHECK(account.broken->account == account.name);
  const std::string file = folder.path + "/mailbearer.conf";
  std::string out = account.broken->cause + "; " + account.broken->cure;
  const auto at = out.find(file);
  return at == std::string::npos ? out : out.replace(at, file.size(), "FILE");
}

}  // namespace

TEST_CASE("configuration: a generic account is read with defaults", "[account]") {
  const TestFolder folder;
  const Configuration configuration = folder.loaded("[mailbearer]\ndefault = work\n" + generic);
  CHECK(configuration.default_account == "work");
  CHECK(configuration.aliases == "/etc/aliases");
  REQUIRE(configuration.accounts.size() == 1);
  const Account& account = configuration.accounts[0];
  REQUIRE(!account.broken);
  CHECK(account.where == folder.path + "/mailbearer.conf:3");
  CHECK(account.smtp_port == 587);
  CHECK(account.smtp_tls == account::SmtpTls::starttls);
  CHECK(account.auth == account::Auth::xoauth2);
  CHECK(account.auth_user == "me@example.org");
  CHECK(account.from == std::vector<std::string>{"me@example.org"});
  CHECK(account.keyring == account::Keyring::file);
  CHECK(account.keyring_dir == folder.path + "/keyring");
  CHECK(account.timeout_s == 30);
  CHECK(account.refresh_margin_s == 300);
  CHECK(account.pace_wait_s == 120);
  CHECK(account.chunking);
  CHECK(account.null_sender);
  CHECK(account.rate_share == 1.0);
  CHECK(account.temporary_exit == 0);
}

TEST_CASE("configuration: every kind of value reaches its field", "[account]") {
  const TestFolder folder;
  const Configuration configuration = folder.loaded(
      generic +
      "from = a@b.example *@c.example\nfrom = d@e.example\nrewrite_from = always\n"
      "allow_users = www-data #1000 @adm\nsmtp_tls = implicit\nauth = oauthbearer\nsasl_ir = no\n"
      "chunking = no\nnull_sender = user\nenvelope = rewrite\nmax_size = 35M\ntimeout = 2m\n"
      "rate_share = 1/40\nmax_recipients = 7\ntemporary_exit = 75\ndelivery = queue\n"
      "keyring = command\nsecret_command = /usr/bin/pass show work\nca_file = /etc/ca.pem\n");
  const Account& account = configuration.accounts[0];
  if (account.broken) FAIL(account.broken->cause);
  CHECK(account.from == std::vector<std::string>{"a@b.example", "*@c.example", "d@e.example"});
  CHECK(account.rewrite_from == mail::SenderRules::RewriteFrom::always);
  CHECK(account.allow_users == std::vector<std::string>{"www-data", "#1000", "@adm"});
  CHECK(account.allow_users_where == folder.path + "/mailbearer.conf:10");
  CHECK(account.smtp_port == 465);
  CHECK(account.auth == account::Auth::oauthbearer);
  CHECK(account.sasl_ir == account::SaslIr::no);
  CHECK(!account.chunking);
  CHECK(!account.null_sender);
  CHECK(account.envelope_rewrite);
  CHECK(account.max_size_bytes == 35 * 1024 * 1024);
  CHECK(account.timeout_s == 120);
  CHECK(account.rate_share == 1.0 / 40);
  CHECK(account.max_recipients == 7);
  CHECK(account.temporary_exit == 75);
  CHECK(account.delivery == account::Delivery::queue);
  CHECK(account.keyring == account::Keyring::command);
  CHECK(account.secret_command == std::vector<std::string>{"/usr/bin/pass", "show", "work"});
}

TEST_CASE(
    "configuration: an unknown key in [mailbearer] names file, line and the nearest known one",
    "[account]") {
  const TestFolder folder;
  CHECK(load_fault(folder, "[mailbearer]\n\ndefualt = x\n") ==
        "FILE:3: unknown key `defualt`; did you mean default?");
  CHECK(load_fault(folder, "[mailbearer]\nsmtp_host = x\n" + generic) ==
        "FILE:2: `smtp_host` does not belong in [mailbearer]; its place is [account NAME] or "
        "providers.conf");
  CHECK(load_fault(folder, "[mailbearer]\nother_names = x\n").find("its place is providers.conf") !=
        std::string::npos);
}

TEST_CASE("configuration: a faulty [account] disables itself only", "[account]") {
  const TestFolder folder;
  const Configuration configuration = folder.loaded(
      "[account old]\nuser = a@example.org\nsmpt_host = mail.example.org\n" + generic);
  REQUIRE(configuration.accounts.size() == 2);
  REQUIRE(configuration.accounts[0].broken);
  CHECK(configuration.accounts[0].broken->cause ==
        folder.path + "/mailbearer.conf:3: unknown key `smpt_host`");
  CHECK(configuration.accounts[0].broken->cure == "did you mean smtp_host?");
  CHECK(!configuration.accounts[1].broken);
}

TEST_CASE("configuration: bad values name file, line, key and what would fit", "[account]") {
  const TestFolder folder;
  const auto with = [&](const std::string& line) { return account_fault(folder, generic + line); };
  CHECK(with("smtp_port = 70000\n") ==
        "FILE:7: `smtp_port = 70000` is not a number from 1 to 65535; ");
  CHECK(with("smtp_tls = ssl\n") ==
        "FILE:7: `smtp_tls = ssl` must be starttls, implicit or none; ");
  CHECK(with("chunking = maybe\n") == "FILE:7: `chunking = maybe` must be yes or no; ");
  CHECK(with("timeout = soon\n").find("is not a duration") != std::string::npos);
  CHECK(with("max_size = big\n").find("is not a size") != std::string::npos);
  CHECK(with("ca_file = ca.pem\n").find("must be an absolute path") != std::string::npos);
  CHECK(with("from = a@b c d@\n").find("holds `c`") != std::string::npos);
  CHECK(with("rate_share = 40\n").find("is not a share") != std::string::npos);
  CHECK(with("rate_share = 41/40\n").find("is not a share") != std::string::npos);
  CHECK(with("graph_endpoint = http://graph.example.org/v1.0\n").find("must begin with https://") !=
        std::string::npos);
  CHECK(with("graph_endpoint = https://u:p@graph.example.org/\n").find("must not hold") !=
        std::string::npos);
  CHECK(with("client_secret_expires = 2027-13-01\n").find("is not a date") != std::string::npos);
  CHECK(with("helo =\n") == "FILE:7: `helo` has no value; ");
  CHECK(with("allow_users = a/b\n").find("which is no user") != std::string::npos);
}

TEST_CASE("configuration: http is taken to this very machine only", "[account]") {
  const TestFolder folder;
  const auto sound = [&](const std::string& url) {
    return !folder.loaded(generic + "graph_endpoint = " + url + "\n").accounts[0].broken;
  };
  CHECK(sound("http://127.0.0.1:8080/v1.0"));
  CHECK(sound("http://localhost/v1.0"));
  CHECK(sound("http://[::1]:80/v1.0"));
  CHECK(sound("http://169.254.169.254/x"));
  CHECK_FALSE(sound("http://127.evil.example/"));
  CHECK_FALSE(sound("http://localhost.example/"));
  CHECK_FALSE(sound("http://localhost@evil.example/"));
  CHECK_FALSE(sound("ftp://localhost/"));
  CHECK_FALSE(sound("https:///path"));
}

TEST_CASE("configuration: a repeated single key, a repeated account", "[account]") {
  const TestFolder folder;
  CHECK(account_fault(folder, generic + "smtp_host = b.example\n") ==
        "FILE:7: `smtp_host` is already set at " + folder.path +
            "/mailbearer.conf:4; remove one of the two lines");
  CHECK(load_fault(folder, "[mailbearer]\ndomain = a.example\n" + generic +
                               "[mailbearer]\ndomain = b.example\n")
            .find("FILE:10: `domain` is already set at") == 0);
  CHECK(account_fault(folder, generic + "[account work]\nuser = b@example.org\n")
            .find("FILE:7: [account work] stands at") == 0);
}

TEST_CASE("configuration: sections and account names that are none", "[account]") {
  const TestFolder folder;
  CHECK(load_fault(folder, "[acount work]\nuser = x@y\n") ==
        "FILE:1: unknown section [acount work]; did you mean [account NAME]?");
  CHECK(load_fault(folder, "[mailbaerer]\n") ==
        "FILE:1: unknown section [mailbaerer]; did you mean [mailbearer]?");
  CHECK(load_fault(folder, "[]\n").find("FILE:1: unknown section []") == 0);
  CHECK(load_fault(folder, "[account -x]\n").find("FILE:1: account name `-x`") == 0);
  CHECK(load_fault(folder, "[account a/b]\n").find("FILE:1: account name `a/b`") == 0);
}

TEST_CASE("configuration: secrets are sent elsewhere", "[account]") {
  const TestFolder folder;
  const std::string text = account_fault(folder, generic + "password = hunter2\n");
  CHECK(text.find("`password` is a secret and does not belong in this file") != std::string::npos);
  CHECK(text.find("hunter2") == std::string::npos);
}

TEST_CASE("configuration: default and fallback must name accounts", "[account]") {
  const TestFolder folder;
  CHECK(load_fault(folder, "[mailbearer]\ndefault = wrok\n" + generic) ==
        "FILE:2: `default` names unknown account `wrok`; did you mean work?");
  CHECK(account_fault(folder, generic + "fallback = wrk\n") ==
        "FILE:7: `fallback` names unknown account `wrk`; did you mean work?");
  CHECK(account_fault(folder, generic + "fallback = work\n")
            .find("FILE:7: `fallback` names the account itself") == 0);
}

TEST_CASE("configuration: where to log, and with which addresses", "[account]") {
  const TestFolder folder;
  for (const char* place : {"journal", "syslog", "stderr", "none", "/var/log/mail.log"}) {
    CHECK(folder.loaded("[mailbearer]\nlog = " + std::string(place) + "\n" + generic).log == place);
  }
  CHECK(load_fault(folder, "[mailbearer]\nlog = jurnal\n" + generic) ==
        "FILE:2: `log = jurnal` must be journal, syslog, stderr, none or an absolute path; ");
  CHECK(folder.loaded(generic).log.empty());
  CHECK(folder.loaded(generic).log_addresses == "full");
  CHECK(folder.loaded("[mailbearer]\nlog_addresses = hashed\n" + generic).log_addresses ==
        "hashed");
}

TEST_CASE("configuration: what Graph cannot do is said before the first message", "[account]") {
  const TestFolder folder;
  const std::string graph =
      generic + "transport = graph\ngraph_endpoint = https://g.example/v1.0\n";
  CHECK(account_fault(folder, graph + "save_to_sent = no\n") ==
        "FILE:9: save_to_sent = no: Graph keeps a copy of every MIME message; remove it, or set "
        "transport = smtp");
  CHECK(
      account_fault(folder, graph + "graph_large = smtp\n") ==
      "FILE:9: graph_large = smtp says by SMTP, but not how; set fallback = ACCOUNT, or smtp_host "
      "(and, with a token, smtp_scope)");
  const auto sound = [&](const std::string& more) {
    return !folder.loaded(graph + "graph_large = smtp\n" + more).accounts.at(0).broken;
  };
  CHECK(sound("smtp_scope = s\n"));
  CHECK(sound("auth = plain\n"));
  CHECK(sound(
      "fallback = other\n[account other]\nuser = o@example.org\nauth = none\nsmtp_host = h\n"));
  CHECK_FALSE(sound("smtp_scope = s\nsmtp_tls = none\n"));
}

TEST_CASE("configuration: what an account cannot do without", "[account]") {
  const TestFolder folder;
  const auto fault = [&](const std::string& rest) {
    return account_fault(folder, "[account a]\n" + rest);
  };
  CHECK(fault("provider = google\nclient_id = c\n") ==
        "FILE:1: [account a] has no user; add user = you@example.org to it");
  CHECK(fault("provider = google\nuser = a@b.example\n").find("has no client_id") !=
        std::string::npos);
  CHECK(fault("user = a@b.example\nclient_id = c\ntoken_endpoint = https://x.example/\n") ==
        "FILE:1: [account a] has no smtp_host, and its provider presets none; add smtp_host = ... "
        "to it");
  CHECK(fault("user = a@b.example\nclient_id = c\nsmtp_host = x.example\n")
            .find("has no token_endpoint") != std::string::npos);
  CHECK(fault("provider = microsoft\nuser = a@b.example\nclient_id = c\ngrant = app\n") ==
        "FILE:1: [account a] has no tenant, which its provider needs; add tenant = ... to it");
  CHECK(fault("user = a@b.example\ntransport = graph\nclient_id = c\n"
              "token_endpoint = https://x.example/\n")
            .find("has no graph_endpoint") != std::string::npos);
  CHECK(fault("provider = microsft\nuser = a@b.example\n") ==
        "FILE:2: unknown provider `microsft`; did you mean microsoft?");
}

TEST_CASE("configuration: what needs no client id", "[account]") {
  const TestFolder folder;
  const auto sound = [&](const std::string& rest, Profile profile = Profile::person) {
    return !folder.loaded("[account a]\nuser = a@b.example\n" + rest, profile).accounts[0].broken;
  };
  CHECK(sound("smtp_host = x.example\nauth = plain\n"));
  CHECK(sound("smtp_host = x.example\nauth = none\nsmtp_tls = none\n"));
  CHECK(sound("smtp_host = x.example\naccess_token_command = /usr/bin/token a\n"));
  CHECK_FALSE(
      sound("smtp_host = x.example\naccess_token_command = /usr/bin/token a\n", Profile::system));
  CHECK(sound("provider = microsoft\ngrant = managed-identity\n"));
  CHECK(sound("provider = sendgrid\n"));
  CHECK_FALSE(sound("smtp_host = x.example\nauth = plain\nsmtp_tls = none\n"));
}

TEST_CASE("configuration: smtp_tls = none without auth = none names its line", "[account]") {
  const TestFolder folder;
  CHECK(account_fault(folder, generic + "smtp_tls = none\n") ==
        "FILE:7: smtp_tls = none would send a token or password in the clear; use starttls or "
        "implicit, or auth = none");
}

TEST_CASE("configuration: system accounts rewrite, people's never do, unless told", "[account]") {
  const TestFolder folder;
  using mail::SenderRules;
  CHECK(folder.loaded(generic).accounts[0].rewrite_from == SenderRules::RewriteFrom::never);
  CHECK(folder.loaded(generic, Profile::system).accounts[0].rewrite_from ==
        SenderRules::RewriteFrom::automatic);
  CHECK(folder.loaded("[mailbearer]\nrewrite_from = always\n" + generic).accounts[0].rewrite_from ==
        SenderRules::RewriteFrom::always);
}

TEST_CASE("configuration: [mailbearer] speaks for accounts, an account for itself", "[account]") {
  const TestFolder folder;
  const Configuration configuration = folder.loaded(
      "[mailbearer]\ntimeout = 9s\ntemporary_exit = 75\ndelivery = now\n" + generic +
      "timeout = 8s\n[account b]\nprovider = google\nclient_id = c\nuser = b@example.org\n");
  CHECK(configuration.accounts[0].timeout_s == 8);
  CHECK(configuration.accounts[1].timeout_s == 9);
  CHECK(configuration.accounts[1].temporary_exit == 75);
  CHECK(configuration.accounts[1].delivery == account::Delivery::now);
  CHECK(configuration.temporary_exit == 75);
  CHECK(configuration.delivery == account::Delivery::now);
}

TEST_CASE("configuration: conf.d belongs to the system profile and is read in order", "[account]") {
  const TestFolder folder;
  folder.write("conf.d/20-b.conf",
               "[account b]\nprovider = google\nuser = b@x.example\nclient_id = c\n");
  folder.write("conf.d/10-a.conf",
               "[account a]\nprovider = google\nuser = a@x.example\nclient_id = c\n");
  folder.write("conf.d/.hidden.conf", "nonsense\n");
  folder.write("conf.d/30-c.conf.dpkg-old", "nonsense\n");
  const Configuration system =
      folder.loaded("[mailbearer]\ndefault = a\n" + generic, Profile::system);
  REQUIRE(system.accounts.size() == 3);
  CHECK(system.accounts[1].name == "a");
  CHECK(system.accounts[2].where == folder.path + "/conf.d/20-b.conf:1");
  CHECK(folder.loaded(generic).accounts.size() == 1);
}

TEST_CASE("configuration: a file that others may write is refused by name", "[account]") {
  const TestFolder folder;
  const std::string file = folder.write("mailbearer.conf", generic, 0666);
  const auto answer = account::load_configuration(folder.paths());
  REQUIRE(!answer.ok());
  CHECK(answer.error().fault == base::Fault::config);
  CHECK(answer.error().cause.find(file) != std::string::npos);

  folder.write("mailbearer.conf", generic, 0600);
  folder.write("conf.d/x.conf", "", 0620);
  const auto part = account::load_configuration(folder.paths(Profile::system));
  REQUIRE(!part.ok());
  CHECK(part.error().cause.find("conf.d/x.conf") != std::string::npos);

  chmod((folder.path + "/providers.conf").c_str(), 0622);
  const auto providers = account::load_configuration(folder.paths());
  REQUIRE(!providers.ok());
  CHECK(providers.error().cause.find("providers.conf") != std::string::npos);
}

TEST_CASE("configuration: a missing file keeps its errno", "[account]") {
  const TestFolder folder;
  const auto answer = account::load_configuration(folder.paths());
  REQUIRE(!answer.ok());
  CHECK(answer.error().sys == ENOENT);
}

TEST_CASE("configuration: check names every fault, show tells where each value comes from",
          "[account]") {
  const TestFolder folder;
  folder.write("mailbearer.conf", "[mailbearer]\ndefualt = x\nlog_addresses = perhaps\n" + generic +
                                      "smpt_host = x\ntimeout = soon\n");
  CHECK(account::check_configuration(folder.paths()).size() == 4);

  const Configuration configuration = folder.loaded(generic +
                                                    "[account g]\nuser = g@x.example\n"
                                                    "provider = gmail\n");
  const std::string shown = account::show_configuration(configuration);
  CHECK(shown.find("smtp_host = mail.example.org") != std::string::npos);
  CHECK(shown.find(folder.path + "/mailbearer.conf:4") != std::string::npos);
  CHECK(shown.find("(provider google)") != std::string::npos);
  CHECK(shown.find("; default") != std::string::npos);
  CHECK(shown.find("; faulty: " + folder.path +
                   "/mailbearer.conf:7: [account g] has no client_id") != std::string::npos);
}

TEST_CASE("configuration: state_dir is that of the file, else of the profile", "[account]") {
  const TestFolder folder;
  CHECK(folder.loaded(generic).state_dir.empty());
  CHECK(account::show_configuration(folder.loaded(generic)).find("state_dir") == std::string::npos);
  account::ConfigurationPaths paths = folder.paths();
  paths.default_state_dir = "/by/default";
  const auto by_default = account::load_configuration(paths);
  REQUIRE(by_default.ok());
  CHECK(by_default->state_dir == "/by/default");
  const std::string shown = account::show_configuration(*by_default);
  CHECK(shown.find("state_dir = /by/default") != std::string::npos);
  folder.write("mailbearer.conf", "[mailbearer]\nstate_dir = /as/written\n" + generic);
  const auto written = account::load_configuration(paths);
  REQUIRE(written.ok());
  CHECK(written->state_dir == "/as/written");
}

TEST_CASE("binding: no two accounts share it, and its form is fixed", "[account]") {
  Account account;
  account.name = "a";
  account.user = "u@x";
  account.client_id = "c";
  account.tenant = "t";
  account.token_endpoint = "https://e";
  CHECK(account::binding(account) == "mailbearer credential 1 1:a 3:u@x 1:c 1:t 9:https://e");
  Account other = account;
  other.client_id = "c 1:t";
  other.tenant = "";
  CHECK(account::binding(account) != account::binding(other));
}
