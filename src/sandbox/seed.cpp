#include "sandbox/seed.h"

#include <fcntl.h>

#include <cerrno>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "sandbox/json.h"

namespace sandbox {

namespace {

constexpr std::size_t seed_limit_bytes = 1024 * 1024;

User user_of(const Json& value) {
  User user;
  user.name = text_member(value, "user");
  user.send_as = texts_member(value, "send_as");
  user.smtp_auth = flag_member(value, "smtp_auth", true);
  user.challenge = flag_member(value, "challenge", false);
  return user;
}

App app_of(const Json& value) {
  App app;
  app.client_id = text_member(value, "client_id");
  app.name = text_member(value, "name", app.client_id);
  app.secret = text_member(value, "secret");
  app.secret_expired = flag_member(value, "secret_expired", false);
  app.redirect_uris = texts_member(value, "redirect_uris");
  app.mailboxes = texts_member(value, "mailboxes");
  app.certificates = texts_member(value, "certificates");
  if (value.contains("graph_roles")) app.graph_roles = texts_member(value, "graph_roles");
  return app;
}

}  // namespace

Seed built_in_seed() {
  Seed seed;
  const std::string at = "@" + seed.tenant_domain;
  seed.users = {
      {"me" + at, {"me+alias" + at}},
      {"noreply" + at, {"*@apps." + seed.tenant_domain, "alerts" + at}},
      {"scanner" + at, {}},
      {"shared" + at, {}},
  };
  App person;
  person.client_id = "11111111-1111-4111-8111-111111111111";
  person.name = "Sandbox public client";
  person.redirect_uris = {"http://localhost",
                          "https://login.microsoftonline.com/common/oauth2/nativeclient"};
  App daemon;
  daemon.client_id = "22222222-2222-4222-8222-222222222222";
  daemon.name = "Sandbox confidential client";
  // Real secrets hold these marks, which a form has to encode.
  daemon.secret = "Sb8~" + base::random_hex(10) + ".+_" + base::random_hex(6);
  daemon.redirect_uris = {"http://localhost/signed-in"};
  daemon.mailboxes = {"noreply" + at, "scanner" + at};
  seed.apps = {person, daemon};
  return seed;
}

base::Result<Seed> read_seed(const std::string& path) {
  const base::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return base::failure_errno(base::Fault::config, "cannot open " + path, errno);
  base::Result<std::string> text = base::read_all(file.get(), seed_limit_bytes, path);
  if (!text) return std::move(text).error();
  const Json value = read_json(*text);
  if (!value.is_object()) return base::failure(base::Fault::config, path + " is no JSON object");
  Seed seed;
  if (const Json* tenant = member(value, "tenant")) {
    seed.tenant_name = text_member(*tenant, "name", seed.tenant_name);
    seed.tenant_domain = text_member(*tenant, "domain", seed.tenant_domain);
    seed.tenant_id = text_member(*tenant, "id", seed.tenant_id);
  }
  if (const Json* users = member(value, "users"); users != nullptr && users->is_array()) {
    for (const Json& one : *users) seed.users.push_back(user_of(one));
  }
  if (const Json* apps = member(value, "apps"); apps != nullptr && apps->is_array()) {
    for (const Json& one : *apps) seed.apps.push_back(app_of(one));
  }
  if (seed.users.empty() || seed.apps.empty()) {
    return base::failure(base::Fault::config, path + " needs at least one of users and apps");
  }
  for (const User& user : seed.users) {
    if (user.name.find('@') == std::string::npos || base::has_control(user.name)) {
      return base::failure(base::Fault::config, path + " has a user without an address");
    }
  }
  for (const App& app : seed.apps) {
    if (app.client_id.empty() || base::has_control(app.client_id)) {
      return base::failure(base::Fault::config, path + " has an app without a client_id");
    }
  }
  return seed;
}

bool may_send_as(const User& user, const std::string& sender) {
  if (base::same_ignoring_case(user.name, sender)) return true;
  for (const std::string& allowed : user.send_as) {
    if (base::same_ignoring_case(allowed, sender)) return true;
    const std::size_t at = sender.rfind('@');
    if (allowed.rfind("*@", 0) == 0 && at != std::string::npos &&
        base::same_ignoring_case(allowed.substr(1), sender.substr(at))) {
      return true;
    }
  }
  return false;
}

}  // namespace sandbox
