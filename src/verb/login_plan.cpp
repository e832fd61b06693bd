#include "verb/login_plan.h"

#include <unistd.h>

#include <utility>

#include "account/keys.h"
#include "base/text.h"
#include "token/keyring.h"
#include "verb/admin_request.h"
#include "verb/console.h"
#include "verb/families.h"
#include "verb/terminal.h"
#include "verb/typed_secret.h"

namespace verb {

namespace {

using account::Account;
using account::Auth;
using account::Grant;
using base::Fault;

bool by_token(const Account& account) {
  return account.transport == account::Transport::graph || account.auth == Auth::xoauth2 ||
         account.auth == Auth::oauthbearer;
}

bool by_password(const Account& account) {
  return account.transport == account::Transport::smtp &&
         (account.auth == Auth::plain || account.auth == Auth::login);
}

std::string domain_of(const std::string& address) {
  const std::size_t at = address.rfind('@');
  return at == std::string::npos ? std::string() : address.substr(at + 1);
}

// Options that are a key of the account, word for word.
struct OptionKey {
  const char* option;
  const char* key;
};
constexpr OptionKey option_keys[] = {
    {"--tenant", "tenant"}, {"--client-id", "client_id"}, {"--certificate", "app_certificate"},
    {"--from", "from"},     {"--auth-user", "auth_user"}, {"--keyring", "keyring"},
};

// KEY=VALUE, judged like a line of the file.
base::Done set_one(const std::string& text, Draft& draft) {
  const std::size_t equals = text.find('=');
  const std::string name(base::trim(text.substr(0, equals)));
  const account::Key* key = account::find_key(name);
  if (equals == std::string::npos || key == nullptr || (key->places & account::in_account) == 0) {
    const std::string near = base::nearest(name, account::key_names(account::in_account));
    return base::failure(Fault::usage,
                         "--set " + base::clean(text, 80) + " names no key of an account",
                         near.empty() ? "write it as --set KEY=VALUE; see mailbearer.conf(5)"
                                      : "did you mean " + near + "?");
  }
  draft.set(name, std::string(base::trim(text.substr(equals + 1))));
  return base::done();
}

base::Done take_options(const Call& call, Draft& draft, LoginPlan& plan) {
  for (const OptionKey& each : option_keys) {
    if (call.command.has(each.option)) draft.set(each.key, call.command.value(each.option));
  }
  for (const std::string& text : call.command.values("--set")) {
    base::Done set = set_one(text, draft);
    if (!set) return set;
  }
  const std::string transport = call.command.value("--transport");
  if (transport == "smtp" || transport == "graph") {
    draft.set("transport", transport);
  } else if (transport == "auto") {
    plan.graph_too = true;
  } else if (call.command.has("--transport")) {
    return base::failure(Fault::usage, "--transport takes smtp, graph or auto");
  }
  plan.test = !call.command.has("--no-test");
  return base::done();
}

base::Done take_way(const Call& call, LoginPlan& plan) {
  const std::pair<const char*, LoginPlan::Way> ways[] = {{"--browser", LoginPlan::Way::browser},
                                                         {"--paste", LoginPlan::Way::paste},
                                                         {"--device", LoginPlan::Way::device}};
  for (const auto& [option, way] : ways) {
    if (!call.command.has(option)) continue;
    if (plan.way != LoginPlan::Way::automatic) {
      return base::failure(Fault::usage,
                           "more than one of --browser, --paste and --device is given");
    }
    plan.way = way;
  }
  if (!call.command.has("--wait")) return base::done();
  plan.keep_trying = true;
  if (base::parse_duration(call.command.value("--wait"), plan.wait_s) && plan.wait_s > 0) {
    return base::done();
  }
  return base::failure(Fault::usage, "--wait takes a time such as 30m");
}

// An application is asked for by its tenant's own endpoint, so that must be known.
base::Done settle_tenant(Draft& draft) {
  const base::Result<Account> account = draft.account();
  if (!account) return account.error();
  const bool needs = account->grant == Grant::app || account->grant == Grant::federated;
  if (!needs || !account->tenant.empty() || family_of(*account) != Family::microsoft) {
    return base::done();
  }
  const base::Result<std::string> tenant = ask("Tenant (a domain of the organisation, or its id)",
                                               domain_of(account->user), "--tenant TENANT");
  if (!tenant) return tenant.error();
  draft.set("tenant", *tenant);
  return base::done();
}

base::Done settle_client(Draft& draft) {
  const base::Result<Account> account = draft.account();
  if (!account) return account.error();
  const bool needs = account->grant == Grant::user || account->grant == Grant::app ||
                     account->grant == Grant::federated;
  if (!needs || !by_token(*account) || !account->client_id.empty() ||
      !account->access_token_command.empty()) {
    return base::done();
  }
  tell(how_to_register(*account) + "\n");
  const base::Result<std::string> id = ask("Client id", {}, "--client-id ID");
  if (!id) return id.error();
  if (id->empty()) {
    return base::failure(Fault::config, "no client id",
                         "register one, and run mailbearer login again");
  }
  draft.set("client_id", *id);
  return base::done();
}

// Whether the keyring holds it already, or a file of its own.
bool is_kept(const Account& account, const Place& place, token::Kind kind) {
  if (kind == token::Kind::client_secret && !account.client_secret_file.empty()) return true;
  if (kind == token::Kind::password && !account.password_file.empty()) return true;
  base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(account, place.keyrings());
  if (!keyring) return false;
  const base::Result<std::optional<base::Secret>> held = (*keyring)->load(account, kind);
  return held && held->has_value();
}

base::Done settle_secret(const Call& call, const Place& place, const Account& account,
                         token::Kind kind, const char* question,
                         std::optional<base::Secret>& into) {
  const bool given = call.command.has("--secret-stdin");
  if (!given && is_kept(account, place, kind)) return base::done();
  base::Result<base::Secret> secret =
      given ? read_typed_secret(call.input_closed) : ask_secret(question, "--secret-stdin");
  if (!secret) return std::move(secret).error();
  into = std::move(*secret);
  return base::done();
}

base::Done settle_secrets(const Call& call, const Place& place, const Draft& draft,
                          LoginPlan& plan) {
  const base::Result<Account> account = draft.account();
  if (!account) return account.error();
  // What is wrong with it is told before anything is asked for its sake.
  if (account->broken) return *account->broken;
  if (by_password(*account)) {
    return settle_secret(call, place, *account, token::Kind::password, "Password", plan.password);
  }
  if (!by_token(*account)) return base::done();
  const bool google_client = account->grant == Grant::user && family_of(*account) == Family::google;
  const bool app_secret = account->grant == Grant::app && account->app_certificate.empty();
  if (!google_client && !app_secret && !call.command.has("--secret-stdin")) return base::done();
  if (google_client && !draft.exists() && person_is_there()) {
    // Nothing hangs on the answer, so there is no option for it.
    const base::Result<bool> testing =
        ask_yes("Is the application in Testing (Google Auth Platform, Audience)?", false, {});
    if (!testing) return testing.error();
    if (*testing) {
      tell(
          "Then each sign-in ends after 7 days. Publish it there (In production), for your own "
          "use\n"
          "without verification; and sign in after that.\n");
    }
  }
  return settle_secret(call, place, *account, token::Kind::client_secret, "Client secret",
                       plan.client_secret);
}

// Chosen once, here, and written down: the desktop's keyring where it answers, else a sealed file.
base::Done settle_keyring(const Place& place, Draft& draft) {
  if (draft.exists() || draft.says("keyring")) return base::done();
  if (place.paths.profile == account::Profile::system) {
    draft.set("keyring", "file");
    return base::done();
  }
  draft.set("keyring", "secret-service");
  const base::Result<Account> account = draft.account();
  if (!account) return account.error();
  token::KeyringPlaces places = place.keyrings();
  base::Result<std::unique_ptr<token::Keyring>> keyring = token::open_keyring(*account, places);
  const bool answers = keyring && (*keyring)->load(*account, token::Kind::refresh_token).ok();
  if (!answers) draft.set("keyring", "file");
  return base::done();
}

// The first account is the default without being asked for.
void settle_default(const Call& call, Draft& draft) {
  const bool first = draft.before().accounts.empty() && draft.before().default_account.empty();
  if (call.command.has("--default") || first) draft.make_default();
}

}  // namespace

base::Result<LoginPlan> settle_plan(const Call& call, const Place& place, Draft& draft) {
  LoginPlan plan;
  base::Done settled = take_options(call, draft, plan);
  if (settled) settled = take_way(call, plan);
  if (settled) settled = settle_tenant(draft);
  // For the administrator nothing more need be known.
  if (settled && call.command.has("--print-admin-request")) return plan;
  if (settled) settled = settle_client(draft);
  if (settled) settled = settle_keyring(place, draft);
  if (settled) settled = settle_secrets(call, place, draft, plan);
  if (!settled) return std::move(settled).error();
  settle_default(call, draft);
  const base::Result<Account> account = draft.account();
  if (!account) return account.error();
  if (account->broken) return *account->broken;
  return plan;
}

}  // namespace verb
