// What an account needs beyond sound values, as the one place that says which keys go together.
#include "account/build.h"

namespace account {

namespace {

using base::Error;

struct Check {
  const Account& account;
  std::vector<Error>& faults;

  void missing(const std::string& key, const std::string& what, const std::string& cure = {}) {
    faults.push_back(fault_at(account.where, "[account " + account.name + "] has no " + key + what,
                              cure.empty() ? "add " + key + " = ... to it" : cure));
  }
  // At the line that says so, if one does.
  void wrong(const char* key, const std::string& cause, const std::string& cure) {
    const Setting* setting = find_setting(account.settings, key);
    const bool written = setting && setting->source != "default";
    faults.push_back(fault_at(written ? setting->source : account.where, cause, cure));
  }
};

bool by_token(const Account& account) {
  return account.transport == Transport::graph || auth_by_token(account);
}

void check_smtp(Check& check) {
  const Account& account = check.account;
  if (account.smtp_host.empty()) check.missing("smtp_host", ", and its provider presets none");
  if (account.smtp_tls == SmtpTls::none && account.auth != Auth::none) {
    check.wrong("smtp_tls", "smtp_tls = none would send a token or password in the clear",
                "use starttls or implicit, or auth = none");
  }
}

// Graph keeps a copy of every message that is sent as MIME; only its JSON form can do without.
void check_graph(Check& check) {
  const Account& account = check.account;
  if (account.graph_endpoint.empty()) {
    check.missing("graph_endpoint", ", and its provider presets none");
  }
  if (!account.save_to_sent) {
    check.wrong("save_to_sent", "save_to_sent = no: Graph keeps a copy of every MIME message",
                "remove it, or set transport = smtp");
  }
  if (account.graph_large != "smtp" || !account.fallback.empty()) return;
  if (!has_own_smtp(account)) {
    check.wrong("graph_large", "graph_large = smtp says by SMTP, but not how",
                "set fallback = ACCOUNT, or smtp_host (and, with a token, smtp_scope)");
    return;
  }
  check_smtp(check);
}

void check_grant(Check& check) {
  const Account& account = check.account;
  const bool needs_client_id = account.grant == Grant::user || account.grant == Grant::app ||
                               account.grant == Grant::federated;
  if (needs_client_id && account.client_id.empty()) {
    check.missing("client_id", "",
                  "register an application with the provider and add client_id = ... to it");
  }
  if (account.token_endpoint.empty()) {
    check.missing("token_endpoint", ", and its provider presets none");
  }
  if (account.grant == Grant::managed_identity && account.resource.empty()) {
    check.missing("resource", ", which grant = managed-identity asks a token for");
  }
  if (account.grant == Grant::federated && account.federated_token_file.empty()) {
    check.missing("federated_token_file", ", which grant = federated reads");
  }
  if (account.grant == Grant::service_account && account.app_key.empty()) {
    check.missing("app_key", ", which grant = service-account signs with");
  }
}

void check_keyring(Check& check, Profile profile) {
  const Account& account = check.account;
  if (!account.secret_command.empty() && profile == Profile::system) {
    check.wrong("secret_command", "secret_command is for people's own accounts only",
                "remove it, and set keyring = file");
  }
  if (account.keyring == Keyring::command && account.secret_command.empty()) {
    check.missing("secret_command", ", which keyring = command runs");
  }
}

}  // namespace

void check_requirements(const Account& account, Profile profile, std::vector<Error>& faults) {
  Check check{account, faults};
  if (account.user.empty()) check.missing("user", "", "add user = you@example.org to it");
  if (account.transport == Transport::smtp) check_smtp(check);
  if (account.transport == Transport::graph) check_graph(check);
  if (!account.access_token_command.empty() && profile == Profile::system) {
    check.wrong("access_token_command", "access_token_command is for people's own accounts only",
                "remove it, or sign the account in: mailbearer login " + account.name);
  }
  if (by_token(account) && account.access_token_command.empty()) check_grant(check);
  check_keyring(check, profile);
}

}  // namespace account
