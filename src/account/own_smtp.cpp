// An account of Graph that sends by its own SMTP settings what one call of Graph does not take.
#include "account/account.h"

namespace account {

bool auth_by_token(const Account& account) {
  return account.auth == Auth::xoauth2 || account.auth == Auth::oauthbearer;
}

bool has_own_smtp(const Account& account) {
  if (account.smtp_host.empty()) return false;
  const bool token = !account.smtp_scope.empty() || !account.smtp_resource.empty();
  return token || !auth_by_token(account);
}

Account as_smtp(const Account& account) {
  Account out = account;
  out.transport = Transport::smtp;
  out.scope = account.smtp_scope;
  out.resource = account.smtp_resource;
  return out;
}

}  // namespace account
