#include "verb/login_result.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "token/keyring.h"
#include "verb/families.h"

namespace verb {

namespace {

using account::Account;
using base::Fault;

// "outlook.office.com" of "https://outlook.office.com/SMTP.Send offline_access ...".
std::string host_of(std::string_view url) {
  const std::size_t start = url.find("://");
  if (start == std::string_view::npos) return {};
  const std::string_view rest = url.substr(start + 3);
  return base::lower(rest.substr(0, rest.find_first_of("/ ")));
}

// Exchange answers to both names.
std::string same_service(const std::string& host) {
  return host == "outlook.office365.com" ? "outlook.office.com" : host;
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& each) { return base::same_ignoring_case(each, word); });
}

// The permission that sending takes.
const char* needed(const Account& account) {
  if (account.transport == account::Transport::graph) return "Mail.Send";
  return account.grant == account::Grant::user ? "SMTP.Send" : "SMTP.SendAsApp";
}

base::Done judge_audience(const Account& account, const token::SignedIn& signed_in) {
  const std::string asked = same_service(host_of(account.scope + " "));
  const std::string got = same_service(host_of(signed_in.audience));
  if (asked.empty() || got.empty() || asked == got) return base::done();
  return base::failure(Fault::config,
                       "the token is for " + base::clean(got, 80) + ", not for " + asked,
                       "see the scope of the account, and the permissions of the application");
}

}  // namespace

base::Done judge_sign_in(const Account& account, const token::SignedIn& signed_in) {
  if (family_of(account) != Family::microsoft) return base::done();
  base::Done audience = judge_audience(account, signed_in);
  if (!audience) return audience;
  const std::vector<std::string>& scopes = signed_in.token_scopes;
  if (account.grant == account::Grant::user && !scopes.empty() && !has(scopes, needed(account))) {
    return base::failure(
        Fault::config, std::string("the token lacks the permission ") + needed(account),
        "add it to the application (delegated), and run mailbearer login " + account.name);
  }
  return base::done();
}

std::string told_of_sign_in(const Account& account, const token::SignedIn& signed_in,
                            const Place& place) {
  std::string out = "Signed in";
  if (!signed_in.user.empty()) out += " as " + signed_in.user;
  if (account.grant != account::Grant::user) out += " as application " + account.client_id;
  if (!signed_in.app_name.empty()) out += " (" + signed_in.app_name + ")";
  out += ".\n";
  const base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(account, place.keyrings());
  const bool kept = !signed_in.refresh_token.empty();
  if (keyring && kept) out += "The credential is kept in: " + (*keyring)->describe() + ".\n";
  const std::string power = token::power_of(account, signed_in);
  if (!power.empty()) out += "Whoever steals it could: " + power + ".\n";
  if (!signed_in.doubt.empty()) out += "Not believed of the answer: " + signed_in.doubt + ".\n";
  const bool app = account.grant != account::Grant::user;
  if (app && family_of(account) == Family::microsoft && !has(signed_in.roles, needed(account))) {
    out += std::string("The token has no role ") + needed(account) +
           ": right for an application with a role in Exchange (mailbearer login " + account.name +
           " --print-admin-request).\n";
  }
  return out;
}

bool needs_administrator(const base::Error& error) {
  for (const char* number : {"65001", "90094", "90095"}) {
    const std::string code = std::string("AADSTS") + number;
    if (error.said.find(code) != std::string::npos || error.cause.find(code) != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace verb
