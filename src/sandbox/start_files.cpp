#include "sandbox/start_files.h"

#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/file.h"
#include "sandbox/json.h"
#include "sandbox/sandbox.h"

namespace sandbox {

namespace {

constexpr const char* person_scope = "https://outlook.office.com/SMTP.Send offline_access";
constexpr const char* app_scope = "https://outlook.office365.com/.default";

// One configuration by SMTP and one by Graph, with the same accounts and secrets.
struct Way {
  const char* file;
  const char* transport;
  const char* person_scope;
  const char* app_scope;
};
constexpr Way ways[] = {
    {"/mailbearer.conf", "smtp", person_scope, app_scope},
    {"/graph.conf", "graph", "https://graph.microsoft.com/Mail.Send offline_access",
     "https://graph.microsoft.com/.default"},
};

struct Grant {
  User user;
  App app;
  std::string refresh_token;
};

std::string at_tenant(const Places& places, const Tenant& tenant, const std::string& service) {
  return places.base_url + "/" + tenant.domain() + "/oauth2/v2.0/" + service;
}

// One refresh token for every user and public application.
std::vector<Grant> first_grants(Tenant& tenant) {
  std::vector<Grant> grants;
  const Seed seed = tenant.seed();
  for (const App& app : seed.apps) {
    if (!app.is_public()) continue;
    for (const User& user : seed.users) {
      RefreshToken refresh;
      refresh.user = user.name;
      refresh.client_id = app.client_id;
      refresh.scope = parse_scope(person_scope, false);
      refresh.issued = base::wall_seconds();
      grants.push_back({user, app, tenant.issue_refresh(refresh)});
    }
  }
  return grants;
}

Json description(const Places& places, const Tenant& tenant, const std::vector<Grant>& grants) {
  Json apps = Json::array();
  for (const App& app : tenant.seed().apps) {
    apps.push_back({{"client_id", app.client_id},
                    {"name", app.name},
                    {"public", app.is_public()},
                    {"secret", app.secret},
                    {"redirect_uris", app.redirect_uris},
                    {"mailboxes", app.mailboxes}});
  }
  Json users = Json::array();
  for (const User& user : tenant.seed().users) {
    Json one = {{"user", user.name}, {"send_as", user.send_as}};
    for (const Grant& grant : grants) {
      if (grant.user.name != user.name || one.contains("refresh_token")) continue;
      one["client_id"] = grant.app.client_id;
      one["scope"] = person_scope;
      one["refresh_token"] = grant.refresh_token;
    }
    users.push_back(one);
  }
  return {{"pid", getpid()},
          {"directory", places.directory},
          {"tenant", {{"id", tenant.id()}, {"domain", tenant.domain()}, {"name", tenant.name()}}},
          {"http", {{"port", places.http_port}, {"base", places.base_url}}},
          {"authorization_endpoint", at_tenant(places, tenant, "authorize")},
          {"token_endpoint", at_tenant(places, tenant, "token")},
          {"device_authorization_endpoint", at_tenant(places, tenant, "devicecode")},
          {"introspection_endpoint", places.base_url + "/introspect"},
          {"graph_endpoint", places.base_url + "/v1.0"},
          {"control", places.base_url + "/control"},
          {"control_token", places.control_token},
          {"smtp",
           {{"host", places.host},
            {"starttls_port", places.smtp_port},
            {"implicit_port", places.smtps_port}}},
          {"ca_file", places.ca_file},
          {"maildir", places.maildir},
          {"journal", places.journal},
          {"configuration", places.directory + "/mailbearer.conf"},
          {"graph_configuration", places.directory + "/graph.conf"},
          {"apps", apps},
          {"users", users}};
}

// The keys that lead an account to this sandbox.
std::string account_text(const Places& places, const Tenant& tenant, const std::string& name,
                         const User& user, const App& app, const Way& way) {
  std::string from = user.name;
  for (const std::string& one : user.send_as) from += " " + one;
  return "\n[account " + name + "]\nprovider = microsoft\ntransport = " + way.transport +
         "\nuser = " + user.name + "\nfrom = " + from + "\ntenant = " + tenant.domain() +
         "\nclient_id = " + app.client_id +
         "\nauthorization_endpoint = " + at_tenant(places, tenant, "authorize") +
         "\ndevice_authorization_endpoint = " + at_tenant(places, tenant, "devicecode") +
         "\ntoken_endpoint = " + at_tenant(places, tenant, "token") +
         "\nsmtp_host = " + places.host + "\nsmtp_port = " + std::to_string(places.smtp_port) +
         "\nsmtp_tls = starttls\nauth = xoauth2\ngraph_endpoint = " + places.base_url +
         "/v1.0\nca_file = " + places.ca_file +
         "\nkeyring = file\nkeyring_dir = " + places.directory + "/keyring\n";
}

const User* find_user(const std::vector<User>& users, const std::string& name) {
  const auto found =
      std::find_if(users.begin(), users.end(), [&](const User& one) { return one.name == name; });
  return found == users.end() ? nullptr : &*found;
}

base::Done write_configuration(const Places& places, const Options& options, const Tenant& tenant,
                               const std::vector<Grant>& grants, const Way& way) {
  const Seed seed = tenant.seed();
  std::string text = "; Made by mailbearer-sandbox. It leads to the sandbox and to nothing else.\n";
  std::string accounts;
  std::string first;
  if (!grants.empty()) {
    first = "work";
    const std::string secret = places.directory + "/work.refresh-token";
    base::Done kept = base::replace_file(secret, grants[0].refresh_token + "\n", 0600);
    if (!kept) return kept;
    accounts += account_text(places, tenant, "work", grants[0].user, grants[0].app, way) +
                "grant = user\nscope = " + way.person_scope + "\n";
    // A file that nobody rewrites cannot follow a rotation that kills the old token.
    accounts += options.strict_rotation
                    ? "; mailbearer secret set work refresh-token < work.refresh-token\n"
                    : "refresh_token_file = " + secret + "\n";
  }
  for (const App& app : seed.apps) {
    if (app.secret.empty() || app.mailboxes.empty()) continue;
    const User* user = find_user(seed.users, app.mailboxes[0]);
    if (user == nullptr) continue;
    if (first.empty()) first = "site";
    const std::string secret = places.directory + "/site.client-secret";
    base::Done kept = base::replace_file(secret, app.secret + "\n", 0600);
    if (!kept) return kept;
    accounts += account_text(places, tenant, "site", *user, app, way) +
                "grant = app\nscope = " + way.app_scope + "\nclient_secret_file = " + secret + "\n";
    break;
  }
  if (first.empty()) return base::done();
  text += "[mailbearer]\ndefault = " + first + "\ndomain = " + tenant.domain() +
          "\nlocal_mail_to = " + seed.users[0].name + "\n" + accounts;
  return base::replace_file(places.directory + way.file, text, 0600);
}

}  // namespace

base::Done write_start_files(const Places& places, const Options& options, Tenant& tenant,
                             const std::string& ca_pem) {
  base::Done written = base::replace_file(places.ca_file, ca_pem, 0644);
  if (!written) return written;
  written = base::make_folders(places.directory + "/keyring", 0700);
  if (!written) return written;
  const std::vector<Grant> grants = first_grants(tenant);
  for (const Way& way : ways) {
    written = write_configuration(places, options, tenant, grants, way);
    if (!written) return written;
  }
  const std::string text = write_json(description(places, tenant, grants), 2) + "\n";
  return base::replace_file(places.directory + "/sandbox.json", text, 0600);
}

}  // namespace sandbox
