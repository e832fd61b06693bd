#include "sandbox/tenant.h"

#include <algorithm>

#include "base/clock.h"
#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"

namespace sandbox {

std::string_view name_of(TokenFault fault) {
  switch (fault) {
    case TokenFault::good:
      return "good";
    case TokenFault::unknown:
      return "unknown token";
    case TokenFault::expired:
      return "expired token";
    case TokenFault::revoked:
      return "revoked token";
    case TokenFault::wrong_resource:
      return "token for another resource or without the permission";
    case TokenFault::wrong_user:
      return "token of another user";
    case TokenFault::no_permission:
      return "token without the permission";
    case TokenFault::no_mailbox_right:
      return "application may not open this mailbox";
  }
  return "unknown";
}

bool Tenant::is_shared(std::string_view tenant) {
  return tenant == "common" || tenant == "organizations" || tenant == "consumers";
}

bool Tenant::is_named(std::string_view tenant) const {
  return base::same_ignoring_case(tenant, start_.tenant_id) ||
         base::same_ignoring_case(tenant, start_.tenant_domain) ||
         base::same_ignoring_case(tenant, start_.tenant_name);
}

const User* Tenant::find_user(std::string_view name) const {
  const auto found = std::find_if(now_.users.begin(), now_.users.end(), [&](const User& one) {
    return base::same_ignoring_case(one.name, name);
  });
  return found == now_.users.end() ? nullptr : &*found;
}

const App* Tenant::find_app(std::string_view client_id) const {
  const auto found = std::find_if(now_.apps.begin(), now_.apps.end(), [&](const App& one) {
    return base::same_ignoring_case(one.client_id, client_id);
  });
  return found == now_.apps.end() ? nullptr : &*found;
}

std::optional<User> Tenant::user(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const User* found = find_user(name);
  return found == nullptr ? std::nullopt : std::optional<User>(*found);
}

std::optional<App> Tenant::app(std::string_view client_id) const {
  const std::lock_guard lock(mutex_);
  const App* found = find_app(client_id);
  return found == nullptr ? std::nullopt : std::optional<App>(*found);
}

Seed Tenant::seed() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

TokenFault Tenant::judge_smtp(std::string_view token, std::string_view user) const {
  const std::lock_guard lock(mutex_);
  const auto found = access_.find(base::sha256_hex(token));
  if (found == access_.end()) return TokenFault::unknown;
  const AccessToken& facts = found->second;
  if (facts.revoked) return TokenFault::revoked;
  if (facts.expires <= base::wall_seconds()) return TokenFault::expired;
  if (!allows_smtp(facts.resource, facts.permissions, facts.app_only())) {
    return TokenFault::wrong_resource;
  }
  if (!facts.app_only()) {
    // shared@ is a shared mailbox: any user of the tenant is a full member of it.
    const bool shared = user.substr(0, 7) == "shared@" && find_user(user) != nullptr;
    return base::same_ignoring_case(facts.user, user) || shared ? TokenFault::good
                                                                : TokenFault::wrong_user;
  }
  const App* app = find_app(facts.client_id);
  if (app == nullptr || find_user(user) == nullptr) return TokenFault::wrong_user;
  const bool opens = std::any_of(
      app->mailboxes.begin(), app->mailboxes.end(),
      [&](const std::string& mailbox) { return base::same_ignoring_case(mailbox, user); });
  return opens ? TokenFault::good : TokenFault::no_mailbox_right;
}

TokenFault Tenant::judge_graph(std::string_view token, std::string_view mailbox,
                               std::string_view permission) const {
  const std::lock_guard lock(mutex_);
  const auto found = access_.find(base::sha256_hex(token));
  if (found == access_.end()) return TokenFault::unknown;
  const AccessToken& facts = found->second;
  if (facts.revoked) return TokenFault::revoked;
  if (facts.expires <= base::wall_seconds()) return TokenFault::expired;
  if (!is_graph(facts.resource)) return TokenFault::wrong_resource;
  const bool own = base::same_ignoring_case(facts.user, mailbox);
  const bool shared = mailbox.substr(0, 7) == "shared@";
  if (!allows_graph(facts.permissions, permission, !facts.app_only() && !own)) {
    return TokenFault::no_permission;
  }
  if (!facts.app_only()) return own || shared ? TokenFault::good : TokenFault::wrong_user;
  const App* app = find_app(facts.client_id);
  const bool opens = app != nullptr && std::any_of(app->mailboxes.begin(), app->mailboxes.end(),
                                                   [&](const std::string& one) {
                                                     return base::same_ignoring_case(one, mailbox);
                                                   });
  return opens ? TokenFault::good : TokenFault::no_mailbox_right;
}

bool Tenant::smtp_auth_allowed(std::string_view user, bool& for_whole_tenant) const {
  const std::lock_guard lock(mutex_);
  for_whole_tenant = !smtp_auth_;
  if (!smtp_auth_) return false;
  const User* found = find_user(user);
  return found == nullptr || found->smtp_auth;
}

void Tenant::revoke_access(std::string_view user) {
  const std::lock_guard lock(mutex_);
  for (auto& [hash, facts] : access_) {
    if (user.empty() || base::same_ignoring_case(facts.user, user)) facts.revoked = true;
  }
}

void Tenant::expire_access(std::string_view user) {
  const std::lock_guard lock(mutex_);
  for (auto& [hash, facts] : access_) {
    if (user.empty() || base::same_ignoring_case(facts.user, user)) facts.expires = 0;
  }
}

void Tenant::set_refresh(std::string_view user, RefreshToken::State state) {
  const std::lock_guard lock(mutex_);
  for (auto& [hash, facts] : refresh_) {
    if (user.empty() || base::same_ignoring_case(facts.user, user)) facts.state = state;
  }
}

bool Tenant::set_secret_expired(std::string_view client_id, bool expired) {
  const std::lock_guard lock(mutex_);
  bool found = false;
  for (App& app : now_.apps) {
    if (!client_id.empty() && !base::same_ignoring_case(app.client_id, client_id)) continue;
    app.secret_expired = expired;
    found = true;
  }
  return found;
}

bool Tenant::set_smtp_auth(std::string_view user, bool allowed) {
  const std::lock_guard lock(mutex_);
  if (user.empty()) {
    smtp_auth_ = allowed;
    return true;
  }
  for (User& one : now_.users) {
    if (!base::same_ignoring_case(one.name, user)) continue;
    one.smtp_auth = allowed;
    return true;
  }
  return false;
}

bool Tenant::add_certificate(std::string_view client_id, const std::string& pem) {
  const std::lock_guard lock(mutex_);
  for (App& app : now_.apps) {
    if (!base::same_ignoring_case(app.client_id, client_id)) continue;
    if (app.certificates.size() >= 16) return false;
    app.certificates.push_back(pem);
    return true;
  }
  return false;
}

void Tenant::reset_switches() {
  const std::lock_guard lock(mutex_);
  smtp_auth_ = true;
  now_ = start_;
}

}  // namespace sandbox
