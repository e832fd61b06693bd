#include "token/identity.h"

#include <algorithm>

#include "account/keys.h"
#include "base/text.h"
#include "token/redirect.h"

namespace token {

namespace {

constexpr std::int64_t clock_slack_s = 600;

base::Error of_another(const account::Account& account, const std::string& what) {
  base::Error error =
      base::failure(base::Fault::protocol, "the ID token belongs to another " + what,
                    "run: mailbearer login " + account.name);
  error.account = account.name;
  return error;
}

// Of an address, with or without its scheme (Google's issuer is also written without).
std::string host_of(std::string_view url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  url = url.substr(0, url.find_first_of("/?#"));
  const std::size_t port = url.rfind(':');
  if (port != std::string_view::npos && url.find(']', port) == std::string_view::npos) {
    url = url.substr(0, port);
  }
  if (url.size() > 2 && url.front() == '[') url = url.substr(1, url.size() - 2);
  return base::lower(url);
}

bool same_host(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return false;
  return a == b || (account::is_loopback_name(a) && account::is_loopback_name(b));
}

bool known_issuer(std::string_view issuer, const account::Account& account) {
  const std::string host = host_of(issuer);
  return same_host(host, host_of(account.token_endpoint)) ||
         same_host(host, host_of(account.authorization_endpoint));
}

std::string doubt_of(const net::Record& answer, const account::Account& account,
                     std::int64_t now_s) {
  const std::string_view issuer = answer.get("id.iss");
  const std::string_view tenant = answer.get("id.tid");
  if (issuer.empty()) return "it names no issuer";
  if (!known_issuer(issuer, account)) {
    return "it names another issuer (" + base::clean(issuer, 100) + ")";
  }
  if (!tenant.empty() && issuer.find(tenant) == std::string_view::npos) {
    return "its issuer is another tenant than the user's";
  }
  if (answer.number("id.exp", 0) + clock_slack_s < now_s) {
    return "it has expired: check the clock of this machine";
  }
  return {};
}

}  // namespace

base::Done read_identity(const net::Record& answer, const account::Account& account,
                         const IdentityRules& rules, SignedIn& into) {
  if (answer.get("id") != "1") return base::done();
  const std::vector<std::string> audience = base::words(answer.get("id.aud"));
  if (std::find(audience.begin(), audience.end(), account.client_id) == audience.end()) {
    return of_another(account, "app (aud)");
  }
  if (!rules.nonce.empty() && !same_secret_text(answer.get("id.nonce"), rules.nonce)) {
    return of_another(account, "sign-in (nonce)");
  }
  into.doubt = doubt_of(answer, account, rules.now_s);
  if (!into.doubt.empty()) return base::done();
  into.user = answer.get("id.user");
  into.name = answer.get("id.name");
  into.tenant_id = answer.get("id.tid");
  into.object_id = answer.get("id.oid");
  into.subject = answer.get("id.sub");
  return base::done();
}

void read_rights(const net::Record& answer, SignedIn& into) {
  into.scopes = base::words(answer.get("scope"));
  into.audience = answer.get("at.aud");
  into.token_scopes = base::words(answer.get("at.scp"));
  into.roles = base::words(answer.get("at.roles"));
  into.app_name = answer.get("at.app");
}

}  // namespace token
