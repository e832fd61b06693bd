// tenant: what the identity service and the mail service both know: users, applications, tokens.
// Source: facts/providers.md 1.3-1.7. Threads: any; every call locks. Times in wall seconds.
// Limits: at most 20,000 access tokens, 20,000 refresh tokens, 1,000 codes of each kind; the oldest
// go. Tokens are kept by their SHA-256.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/scope.h"
#include "sandbox/seed.h"

namespace sandbox {

struct AccessToken {
  std::string resource{};
  std::vector<std::string> permissions{};
  std::string user{};  // empty: app-only
  std::string client_id{};
  std::int64_t issued = 0;
  std::int64_t expires = 0;
  bool revoked = false;
  bool app_only() const { return user.empty(); }
};

struct RefreshToken {
  enum class State : std::uint8_t { good, revoked, expired, used };
  std::string user{};
  std::string client_id{};
  Scope scope{};
  State state = State::good;
  std::int64_t issued = 0;
};

struct AuthorizationCode {
  std::string user{};
  std::string client_id{};
  std::string redirect_uri{};
  std::string challenge{};         // empty: no PKCE
  std::string challenge_method{};  // "S256" or "plain"
  std::string nonce{};             // for the ID token
  Scope scope{};
  std::int64_t expires = 0;
  bool used = false;
};

struct DeviceCode {
  enum class State : std::uint8_t { pending, approved, declined, used };
  std::string user_code{};
  std::string client_id{};
  std::string user{};
  Scope scope{};
  State state = State::pending;
  std::int64_t expires = 0;
};

// Why a token is not taken; `good` otherwise. For the journal: the client is told nothing.
enum class TokenFault : std::uint8_t {
  good,
  unknown,
  expired,
  revoked,
  wrong_resource,
  wrong_user,
  no_permission,
  no_mailbox_right
};
std::string_view name_of(TokenFault fault);

class Tenant {
 public:
  explicit Tenant(Seed seed) : start_(seed), now_(std::move(seed)) {}

  std::string id() const { return start_.tenant_id; }
  std::string domain() const { return start_.tenant_domain; }
  std::string name() const { return start_.tenant_name; }
  // A name of this tenant: id, domain or short name. `shared`: common or organizations.
  bool is_named(std::string_view tenant) const;
  static bool is_shared(std::string_view tenant);

  std::optional<User> user(std::string_view name) const;
  std::optional<App> app(std::string_view client_id) const;
  Seed seed() const;

  // Tokens. Issued ones are returned once and kept as hashes.
  std::string issue_access(const AccessToken& facts);
  std::optional<AccessToken> access(std::string_view token) const;
  std::string issue_refresh(const RefreshToken& facts);
  std::optional<RefreshToken> refresh(std::string_view token) const;
  void mark_refresh(std::string_view token, RefreshToken::State state);
  std::string issue_code(const AuthorizationCode& facts);
  // The code as it was; it is used from now on.
  std::optional<AuthorizationCode> redeem_code(std::string_view code);
  std::string issue_device(DeviceCode facts, std::string& user_code);
  std::optional<DeviceCode> device(std::string_view code) const;
  void mark_device_used(std::string_view code);
  bool decide_device(std::string_view user_code, std::string_view user, bool approve);
  // False when this assertion id was seen before.
  bool take_assertion_id(std::string_view client_id, std::string_view jti);

  // For the mail service.
  TokenFault judge_smtp(std::string_view token, std::string_view user) const;
  bool smtp_auth_allowed(std::string_view user, bool& for_whole_tenant) const;
  // For Graph; `permission` is "Mail.Send" or "Mail.ReadWrite". The mailbox is one of a user.
  TokenFault judge_graph(std::string_view token, std::string_view mailbox,
                         std::string_view permission) const;

  // For the control endpoint. An empty user or client id means all.
  void revoke_access(std::string_view user);
  void expire_access(std::string_view user);
  void set_refresh(std::string_view user, RefreshToken::State state);
  bool set_secret_expired(std::string_view client_id, bool expired);
  bool set_smtp_auth(std::string_view user, bool allowed);
  bool add_certificate(std::string_view client_id, const std::string& pem);
  void reset_switches();  // users, applications and the tenant's switch as at the start

 private:
  std::string token_text(const AccessToken& facts) const;
  const User* find_user(std::string_view name) const;
  const App* find_app(std::string_view client_id) const;

  const Seed start_;
  mutable std::mutex mutex_;
  Seed now_;
  bool smtp_auth_ = true;
  std::map<std::string, AccessToken> access_;
  std::map<std::string, RefreshToken> refresh_;
  std::map<std::string, AuthorizationCode> codes_;
  std::map<std::string, DeviceCode> devices_;
  std::set<std::string> assertion_ids_;
  std::deque<std::string> access_order_;
  std::deque<std::string> refresh_order_;
  std::deque<std::string> code_order_;
  std::deque<std::string> device_order_;
  std::deque<std::string> assertion_order_;
};

// RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes);
bool from_base64url(std::string_view text, std::string& bytes);
std::string random_guid();
std::string random_text(std::size_t length);  // letters and digits of base64url

}  // namespace sandbox
