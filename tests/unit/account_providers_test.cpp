#include "account/providers.h"

#include "account_files.h"

using account::Account;
using account::Providers;

namespace {

Account built(const TestFolder& folder, const std::string& keys) {
  const auto configuration =
      folder.loaded("[account a]\nuser = me@mail.contoso.com\nclient_id = c\n" + keys);
  const Account account = configuration.accounts.at(0);
  if (account.broken) FAIL(account.broken->cause);
  return account;
}

}  // namespace

TEST_CASE("providers: microsoft over SMTP, user and app", "[account]") {
  const TestFolder folder;
  const Account user = built(folder, "provider = office365\n");
  CHECK(user.provider == "microsoft");
  CHECK(user.smtp_host == "smtp.office365.com");
  CHECK(user.smtp_port == 587);
  CHECK(user.sasl_ir == account::SaslIr::yes);
  CHECK(!user.chunking);
  CHECK(!user.null_sender);
  CHECK(user.map_message_ids);
  CHECK(user.max_recipients == 500);
  CHECK(user.token_endpoint == "https://login.microsoftonline.com/organizations/oauth2/v2.0/token");
  CHECK(user.scope.find("https://outlook.office.com/SMTP.Send offline_access") == 0);
  const Account app = built(folder, "provider = microsoft\ngrant = app\ntenant = contoso.com\n");
  CHECK(app.scope == "https://outlook.office365.com/.default");
  CHECK(app.token_endpoint == "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token");
}

TEST_CASE("providers: clouds and Graph have their own hosts and scopes", "[account]") {
  const TestFolder folder;
  const Account gov = built(folder, "provider = microsoft\ncloud = usgov\n");
  CHECK(gov.smtp_host == "smtp.office365.us");
  CHECK(gov.token_endpoint == "https://login.microsoftonline.us/organizations/oauth2/v2.0/token");
  CHECK(gov.scope.find("https://outlook.office365.us/SMTP.Send") == 0);
  const Account china =
      built(folder,
            "provider = microsoft\ncloud = china\ntransport = graph\ngrant = app\n"
            "tenant = t\n");
  CHECK(china.graph_endpoint == "https://microsoftgraph.chinacloudapi.cn/v1.0");
  CHECK(china.scope == "https://microsoftgraph.chinacloudapi.cn/.default");
  CHECK(!china.map_message_ids);
}

TEST_CASE("providers: a managed identity has a resource and no tenant", "[account]") {
  const TestFolder folder;
  const Account account = built(folder, "provider = microsoft\ngrant = managed-identity\n");
  CHECK(account.token_endpoint == "http://169.254.169.254/metadata/identity/oauth2/token");
  CHECK(account.resource == "https://outlook.office365.com");
  CHECK(account.scope.empty());
}

TEST_CASE("providers: based_on is weaker than what the provider says itself", "[account]") {
  const TestFolder folder;
  const Account hve = built(folder, "provider = hve\ntenant = t\n");
  CHECK(hve.grant == account::Grant::app);
  CHECK(hve.scope == "https://outlook.office.com/.default");
  CHECK(hve.refresh_margin_s == 600);
  CHECK(!hve.map_message_ids);
  CHECK(!hve.chunking);
  CHECK(hve.token_endpoint == "https://login.microsoftonline.com/t/oauth2/v2.0/token");
  const Account personal = built(folder, "provider = outlook\n");
  CHECK(personal.token_endpoint == "https://login.microsoftonline.com/consumers/oauth2/v2.0/token");
}

TEST_CASE("providers: the relay's host is made of the user's domain", "[account]") {
  const TestFolder folder;
  const Account direct = built(folder, "provider = microsoft-direct\n");
  CHECK(direct.smtp_host == "mail-contoso-com.mail.protection.outlook.com");
  CHECK(direct.smtp_port == 25);
  CHECK(direct.auth == account::Auth::none);
}

TEST_CASE("providers: every provider of the design makes a sound account", "[account]") {
  const TestFolder folder;
  for (const char* name :
       {"microsoft", "microsoft-personal", "microsoft-hve", "microsoft-relay", "microsoft-direct",
        "azure-communication", "google", "yahoo", "fastmail", "zoho", "sendgrid", "gmail"}) {
    INFO(name);
    const Account account =
        built(folder, "provider = " + std::string(name) + "\ntenant = contoso.com\n");
    CHECK(!account.smtp_host.empty());
    CHECK(account.smtp_tls != account::SmtpTls::none);
  }
  CHECK(built(folder, "provider = sendgrid\n").auth_user == "apikey");
  CHECK(built(folder, "provider = zoho\n").auth_user == "me@mail.contoso.com");
  CHECK(built(folder, "provider = google\n").smtp_port == 465);
}

TEST_CASE("providers: the account is stronger than its provider", "[account]") {
  const TestFolder folder;
  const Account account =
      built(folder,
            "provider = microsoft\nsmtp_host = localhost\nsmtp_port = 2587\nsasl_ir = no\n"
            "token_endpoint = http://127.0.0.1:1/{tenant}/token\nmax_recipients = 3\n");
  CHECK(account.smtp_host == "localhost");
  CHECK(account.smtp_port == 2587);
  CHECK(account.sasl_ir == account::SaslIr::no);
  CHECK(account.token_endpoint == "http://127.0.0.1:1/organizations/token");
  CHECK(account.max_recipients == 3);
}

TEST_CASE("providers: a new section is a new provider; faults name file and line", "[account]") {
  const TestFolder folder;
  const auto cause = [&](const std::string& text) {
    const auto loaded = Providers::load(folder.write("p.conf", text));
    return loaded.ok() ? std::string() : loaded.error().cause.substr(folder.path.size() + 1);
  };
  CHECK(cause("[new]\nsmtp_host = x.example\n[new usgov app|federated]\nscope = s\n").empty());
  CHECK(cause("[new]\nsmpt_host = x\n") == "p.conf:2: unknown key `smpt_host`");
  CHECK(cause("[new]\nuser = x@y.example\n").find("`user` does not belong in [new]") !=
        std::string::npos);
  CHECK(cause("[new mars]\n") == "p.conf:1: `mars` is no cloud, transport, grant or upload");
  CHECK(cause("[a]\nbased_on = b\n[b]\nbased_on = a\n").find("circle") != std::string::npos);
  CHECK(cause("[a]\nbased_on = c\n").find("unknown provider `c`") != std::string::npos);
  CHECK(cause("[a]\nsmtp_port = x\n").find("p.conf:2") == 0);
}

TEST_CASE("providers: who is about to send reads what its accounts need, and gets the same",
          "[account]") {
  const TestFolder folder;
  const auto shown = [&](const std::string& keys, bool needed_only) {
    folder.write("mailbearer.conf",
                 "[account a]\nuser = me@mail.contoso.com\nclient_id = c\ntenant = t\n" + keys +
                     "[account b]\nsmtp_host = x.example\nuser = u@x.example\nauth = plain\n");
    account::ConfigurationPaths paths = folder.paths();
    paths.needed_providers_only = needed_only;
    const auto loaded = account::load_configuration(paths);
    REQUIRE(loaded.ok());
    return account::show_configuration(*loaded);
  };
  for (const char* name :
       {"microsoft", "office365", "microsoft-personal", "outlook", "hve", "microsoft-direct",
        "google", "gmail", "yahoo", "smtp", "microsft", "MICROSOFT"}) {
    INFO(name);
    for (const char* more : {"", "cloud = usgov\n", "grant = app\n", "transport = graph\n"}) {
      const std::string keys = std::string("provider = ") + name + "\n" + more;
      CHECK(shown(keys, true) == shown(keys, false));
    }
  }
  CHECK(shown("", true) == shown("", false));
}

TEST_CASE("providers: a fault in a needed section is told with its line, others wait for check",
          "[account]") {
  const TestFolder folder;
  const auto cause = [&](const std::string& text, const std::vector<std::string>& names) {
    const auto loaded = Providers::load_for(folder.write("p.conf", text), names);
    return loaded.ok() ? std::string() : loaded.error().cause.substr(folder.path.size() + 1);
  };
  const std::string faulty =
      "[good]\nother_names = fine\n\n[base]\nsmpt_host = x\n[new]\nbased_on = base\n";
  CHECK(cause(faulty, {"good"}).empty());
  CHECK(cause(faulty, {"fine"}).empty());
  CHECK(cause(faulty, {"base"}) == "p.conf:5: unknown key `smpt_host`");
  CHECK(cause(faulty, {"good", "new"}) == "p.conf:5: unknown key `smpt_host`");
  // A name that is not there is looked for in the whole file, and that is judged.
  CHECK(cause(faulty, {"good", "gone"}) == "p.conf:5: unknown key `smpt_host`");
  CHECK(cause("[good]\n[good mars]\n", {"good"}) ==
        "p.conf:2: `mars` is no cloud, transport, grant or upload");
  CHECK(cause("[a]\nbased_on = b\n[b]\nbased_on = a\n", {"b"}).find("circle") != std::string::npos);
  CHECK(cause("[a]\nbased_on = c\n", {"a"}).find("unknown provider `c`") != std::string::npos);
  CHECK(cause("[good]\nother_names = fine\n[new]\nbased_on = good\nother_names = n\n", {"n"}) ==
        "");
  CHECK(!Providers::load(folder.write("p.conf", faulty)).ok());
}

TEST_CASE("providers: an address leads to its provider by domain, else by its mail exchanger",
          "[account]") {
  const auto providers = Providers::load("etc/providers.conf");
  REQUIRE(providers.ok());
  CHECK(providers->provider_of_domain("Gmail.com") == "google");
  CHECK(providers->provider_of_domain("contoso.onmicrosoft.com") == "microsoft");
  CHECK(providers->provider_of_domain("hotmail.co.uk") == "microsoft-personal");
  CHECK(providers->provider_of_domain("outlook.de") == "microsoft-personal");
  CHECK(providers->provider_of_domain("live.example.org").empty());
  CHECK(providers->provider_of_domain("outlook.com.evil.example").empty());
  CHECK(providers->provider_of_domain("example.org").empty());
  CHECK(providers->provider_of_mx("contoso-com.mail.protection.outlook.com") == "microsoft");
  CHECK(providers->provider_of_mx("outlook-com.olc.protection.outlook.com") ==
        "microsoft-personal");
  CHECK(providers->provider_of_mx("aspmx.l.google.com") == "google");
  CHECK(providers->provider_of_mx("in1-smtp.messagingengine.com") == "fastmail");
  CHECK(providers->provider_of_mx("mx.example.org").empty());
  CHECK(providers->provider_of_mx("evilmail.protection.outlook.com").empty());
}

TEST_CASE("providers: a host's own file is read behind ours, and is stronger", "[account]") {
  const TestFolder folder;
  const std::string site = folder.write(
      "site.conf",
      "[corp]\nbased_on = microsoft\ndomains = corp.example\nclient_id = own\n[google]\n"
      "client_id = ours\n");
  for (const bool all : {true, false}) {
    const auto providers = all ? Providers::load("etc/providers.conf", site)
                               : Providers::load_for("etc/providers.conf", {"corp"}, site);
    REQUIRE(providers.ok());
    CHECK(providers->provider_of_domain("corp.example") == "corp");
    const auto presets = providers->presets("corp", {"worldwide", "smtp", "user"});
    CHECK(account::value_of(presets, "client_id") == "own");
    CHECK(account::value_of(presets, "smtp_host") == "smtp.office365.com");
    CHECK(account::find_setting(presets, "domains") == nullptr);
    CHECK(account::value_of(providers->presets("google", {}), "client_id") == "ours");
  }
  CHECK(Providers::load("etc/providers.conf", folder.path + "/none").ok());
  folder.write("site.conf", "[corp]\nbased_on = nothing\n");
  CHECK(!Providers::load("etc/providers.conf", site).ok());
  folder.write("site.conf", "[corp]\n", 0666);
  CHECK(!Providers::load("etc/providers.conf", site).ok());
}

TEST_CASE("providers: every cloud of Microsoft has its own hosts, by Graph and by SMTP beside it",
          "[account]") {
  struct Cloud {
    const char* name;
    const char* login;
    const char* graph;
    const char* smtp_user;  // resource hosts of tokens for SMTP
    const char* smtp_app;
    const char* smtp_host;
  };
  // Identity platform and Graph, "National cloud deployments".
  const Cloud clouds[] = {
      {"worldwide", "login.microsoftonline.com", "graph.microsoft.com", "outlook.office.com",
       "outlook.office365.com", "smtp.office365.com"},
      {"usgov", "login.microsoftonline.us", "graph.microsoft.us", "outlook.office365.us",
       "outlook.office365.us", "smtp.office365.us"},
      {"usdod", "login.microsoftonline.us", "dod-graph.microsoft.us", "outlook-dod.office365.us",
       "outlook-dod.office365.us", "outlook-dod.office365.us"},
      {"china", "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn",
       "partner.outlook.cn", "partner.outlook.cn", "smtp.partner.outlook.cn"},
  };
  const TestFolder folder;
  for (const Cloud& cloud : clouds) {
    INFO(cloud.name);
    const std::string common =
        "provider = microsoft\ntransport = graph\ngraph_large = smtp\ncloud = " +
        std::string(cloud.name) + "\n";
    const std::string login = "https://" + std::string(cloud.login) + "/";
    const std::string graph = "https://" + std::string(cloud.graph) + "/";
    const Account user = built(folder, common);
    CHECK(user.graph_endpoint == graph + "v1.0");
    CHECK(user.token_endpoint == login + "organizations/oauth2/v2.0/token");
    CHECK(user.authorization_endpoint == login + "organizations/oauth2/v2.0/authorize");
    CHECK(user.device_authorization_endpoint == login + "organizations/oauth2/v2.0/devicecode");
    CHECK(user.scope.rfind(graph + "Mail.Send ", 0) == 0);
    CHECK(user.scope.find("Mail.ReadWrite") == std::string::npos);
    CHECK(user.smtp_scope.rfind("https://" + std::string(cloud.smtp_user) + "/SMTP.Send ", 0) == 0);
    CHECK(user.smtp_host == cloud.smtp_host);
    const Account smtp = account::as_smtp(user);
    CHECK(smtp.scope == user.smtp_scope);
    CHECK(smtp.transport == account::Transport::smtp);
    CHECK(account::binding(smtp) == account::binding(user));
    const Account app = built(folder, common + "grant = app\ntenant = t\n");
    CHECK(app.scope == graph + ".default");
    CHECK(app.token_endpoint == login + "t/oauth2/v2.0/token");
    CHECK(app.smtp_scope == "https://" + std::string(cloud.smtp_app) + "/.default");
  }
  const std::string graph = "provider = microsoft\ntransport = graph\n";
  CHECK(built(folder, graph).smtp_scope.empty());
  CHECK(built(folder, graph + "graph_large = smtp\nsmtp_scope = own\n").smtp_scope == "own");
}

TEST_CASE("providers: Mail.ReadWrite is asked for only by accounts that upload", "[account]") {
  const auto providers = Providers::load("etc/providers.conf");
  REQUIRE(providers.ok());
  const auto scope = [&](std::vector<std::string> words) {
    for (const auto& one : providers->presets("microsoft", words)) {
      if (one.key == "scope") return one.value;
    }
    return std::string();
  };
  for (const char* cloud : {"worldwide", "usgov", "usdod", "china"}) {
    INFO(cloud);
    CHECK(scope({cloud, "graph", "user"}).find("ReadWrite") == std::string::npos);
    CHECK(scope({cloud, "graph", "user", "upload"}).find("/Mail.ReadWrite ") != std::string::npos);
    CHECK(scope({cloud, "graph", "app", "upload"}) == scope({cloud, "graph", "app"}));
  }
}
