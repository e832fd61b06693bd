#include "doctor/walk.h"

#include <memory>
#include <utility>

#include "token/credential.h"
#include "transport/probe.h"

namespace doctor {

namespace {

using account::Account;

bool by_token(const Account& account) {
  return account.transport == account::Transport::graph || account.auth == account::Auth::xoauth2 ||
         account.auth == account::Auth::oauthbearer;
}

// What the account signs in with; nothing: it needs no stored credential.
std::optional<token::Kind> credential_of(const Account& account) {
  if (!by_token(account)) {
    if (account.auth == account::Auth::none) return {};
    return token::Kind::password;
  }
  if (account.grant == account::Grant::user) return token::Kind::refresh_token;
  if (account.grant == account::Grant::app && account.app_certificate.empty()) {
    return token::Kind::client_secret;
  }
  return {};
}

Step look_at_keyring(const Account& account, const Bag& bag) {
  Step step{"credential", "none is needed", {}};
  const std::optional<token::Kind> kind = credential_of(account);
  if (!kind || !account.access_token_command.empty()) return step;
  if (const std::string file = token::file_key(account, *kind).path; !file.empty()) {
    step.found = std::string(token::kind_name(*kind)) + " in " + file;
    return step;
  }
  base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(account, bag.places.keyring);
  if (!keyring) {
    step.fault = std::move(keyring).error();
    return step;
  }
  const base::Result<std::optional<base::Secret>> held = (*keyring)->load(account, *kind);
  if (!held) {
    step.fault = held.error();
  } else if (!held->has_value()) {
    step.fault = base::failure(base::Fault::sign_in_needed,
                               std::string("no ") + token::kind_name(*kind) + " is stored",
                               "run: mailbearer login " + account.name);
  } else {
    step.found = std::string(token::kind_name(*kind)) + " in " + (*keyring)->describe();
  }
  return step;
}

Step ask_for_token(token::Source& source) {
  Step step{"token", "an access token can be had", {}};
  const base::Result<base::Secret> token = source.get(token::Want::usable);
  if (!token) step.fault = token.error();
  return step;
}

void call_server(const Account& account, token::Source& source,
                 const std::function<void(const Step&)>& tell) {
  const transport::Probe probe =
      transport::probe_smtp(account, [&](bool fresh) -> base::Result<base::Secret> {
        if (!by_token(account)) return source.password();
        return source.get(fresh ? token::Want::fresh : token::Want::usable);
      });
  Step server{"server", probe.server, {}};
  if (probe.reached == transport::Probe::Reached::nothing) {
    server.fault = probe.error;
    return tell(server);
  }
  server.found += account.smtp_tls == account::SmtpTls::none ? " answers" : " answers, by TLS";
  if (!probe.mechanisms.empty()) {
    server.found += ", and takes";
    for (const std::string& each : probe.mechanisms) server.found += " " + each;
  }
  tell(server);
  if (account.auth == account::Auth::none) return;
  tell({"sign-in", "the server takes " + account.auth_user, probe.error});
}

}  // namespace

void walk(const Account& account, const Bag& bag, const std::function<void(const Step&)>& tell) {
  Step first{"account", account.user + " by " + account.provider, account.broken};
  tell(first);
  if (first.fault) return;
  const Step credential = look_at_keyring(account, bag);
  tell(credential);
  if (credential.fault) return;
  token::Source source(account, bag.places, bag.helper);
  if (by_token(account)) {
    const Step token = ask_for_token(source);
    tell(token);
    if (token.fault) return;
  }
  if (account.transport == account::Transport::smtp) return call_server(account, source, tell);
  tell({"server", "Graph is asked only by a message: mailbearer test " + account.name, {}});
}

}  // namespace doctor
