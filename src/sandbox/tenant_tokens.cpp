#include <algorithm>

#include "base/clock.h"
#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"
#include "sandbox/json.h"
#include "sandbox/tenant.h"

namespace sandbox {

namespace {

constexpr std::size_t token_count_limit = 20'000;
constexpr std::size_t code_count_limit = 1'000;

// Adds under `key`; the oldest goes when there are too many.
template <typename Value>
void keep(std::map<std::string, Value>& map, std::deque<std::string>& order, const std::string& key,
          const Value& value, std::size_t limit) {
  map[key] = value;
  order.push_back(key);
  while (order.size() > limit) {
    map.erase(order.front());
    order.pop_front();
  }
}

// Eight letters that cannot be taken for one another, as in Microsoft's user codes.
std::string user_code_text() {
  constexpr std::string_view letters = "BCDFGHJKLMNPQRSTVWXZ23456789";
  const std::string random = base::random_hex(18);
  std::string out;
  for (std::size_t i = 0; i < 9; ++i) {
    const auto digit = [&](std::size_t n) -> unsigned {
      return static_cast<unsigned char>(random[4 * i + n]);
    };
    out += letters[(digit(0) * 31 + digit(1) * 7 + digit(2)) % letters.size()];
  }
  return out;
}

}  // namespace

std::string base64url(std::string_view bytes) {
  std::string text = base::base64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

bool from_base64url(std::string_view text, std::string& bytes) {
  if (text.find_first_of("+/=") != std::string_view::npos) return false;
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  while (plain.size() % 4 != 0) plain += '=';
  base::Result<std::string> decoded = base::from_base64(plain);
  if (!decoded) return false;
  bytes = std::move(decoded).value();
  return true;
}

std::string random_guid() {
  std::string hex = base::random_hex(16);
  hex[12] = '4';
  hex[16] = '8';
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

std::string random_text(std::size_t length) {
  base::Result<base::Secret> bytes = base::random_secret(length);
  if (!bytes) return base::random_hex((length + 1) / 2).substr(0, length);
  return base64url(bytes->reveal()).substr(0, length);
}

// A JWT by its looks, with the claims that a real one shows, so that diagnostics can read it. The
// signature is random: whether a token is good is looked up, not computed.
std::string Tenant::token_text(const AccessToken& facts) const {
  std::string permissions;
  for (const std::string& one : facts.permissions)
    permissions += (permissions.empty() ? "" : " ") + one;
  const Json header = {{"typ", "JWT"}, {"alg", "RS256"}, {"kid", "sandbox"}};
  Json claims = {
      {"aud", facts.resource}, {"iss", "https://sts.windows.net/" + start_.tenant_id + "/"},
      {"iat", facts.issued},   {"nbf", facts.issued},
      {"exp", facts.expires},  {"appid", facts.client_id}};
  if (facts.app_only()) {
    claims["idtyp"] = "app";
    claims["roles"] = facts.permissions;
  } else {
    claims["idtyp"] = "user";
    claims["scp"] = permissions;
    claims["upn"] = facts.user;
    claims["unique_name"] = facts.user;
  }
  claims["tid"] = start_.tenant_id;
  claims["uti"] = random_text(22);
  claims["ver"] = "1.0";
  // Real tokens are of 1.5 to 2.5 KB; a client that has room for less must be found out here.
  claims["xms_sandbox"] = random_text(700);
  return base64url(write_json(header)) + "." + base64url(write_json(claims)) + "." +
         random_text(342);
}

std::string Tenant::issue_access(const AccessToken& facts) {
  std::string token = token_text(facts);
  const std::lock_guard lock(mutex_);
  keep(access_, access_order_, base::sha256_hex(token), facts, token_count_limit);
  return token;
}

std::optional<AccessToken> Tenant::access(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = access_.find(base::sha256_hex(token));
  return found == access_.end() ? std::nullopt : std::optional<AccessToken>(found->second);
}

std::string Tenant::issue_refresh(const RefreshToken& facts) {
  std::string token = "1.A" + random_text(1180);
  const std::lock_guard lock(mutex_);
  keep(refresh_, refresh_order_, base::sha256_hex(token), facts, token_count_limit);
  return token;
}

std::optional<RefreshToken> Tenant::refresh(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = refresh_.find(base::sha256_hex(token));
  return found == refresh_.end() ? std::nullopt : std::optional<RefreshToken>(found->second);
}

void Tenant::mark_refresh(std::string_view token, RefreshToken::State state) {
  const std::lock_guard lock(mutex_);
  const auto found = refresh_.find(base::sha256_hex(token));
  if (found != refresh_.end()) found->second.state = state;
}

std::string Tenant::issue_code(const AuthorizationCode& facts) {
  std::string code = "1.A" + random_text(600);
  const std::lock_guard lock(mutex_);
  keep(codes_, code_order_, base::sha256_hex(code), facts, code_count_limit);
  return code;
}

std::optional<AuthorizationCode> Tenant::redeem_code(std::string_view code) {
  const std::lock_guard lock(mutex_);
  const auto found = codes_.find(base::sha256_hex(code));
  if (found == codes_.end()) return std::nullopt;
  const AuthorizationCode before = found->second;
  found->second.used = true;
  return before;
}

std::string Tenant::issue_device(DeviceCode facts, std::string& user_code) {
  std::string code = "D" + random_text(280);
  user_code = facts.user_code = user_code_text();
  const std::lock_guard lock(mutex_);
  keep(devices_, device_order_, base::sha256_hex(code), facts, code_count_limit);
  return code;
}

std::optional<DeviceCode> Tenant::device(std::string_view code) const {
  const std::lock_guard lock(mutex_);
  const auto found = devices_.find(base::sha256_hex(code));
  return found == devices_.end() ? std::nullopt : std::optional<DeviceCode>(found->second);
}

void Tenant::mark_device_used(std::string_view code) {
  const std::lock_guard lock(mutex_);
  const auto found = devices_.find(base::sha256_hex(code));
  if (found != devices_.end()) found->second.state = DeviceCode::State::used;
}

bool Tenant::decide_device(std::string_view user_code, std::string_view user, bool approve) {
  const std::lock_guard lock(mutex_);
  for (auto& [hash, facts] : devices_) {
    if (!base::same_ignoring_case(facts.user_code, base::trim(user_code))) continue;
    if (facts.state != DeviceCode::State::pending || facts.expires <= base::wall_seconds()) {
      return false;
    }
    if (approve && find_user(user) == nullptr) return false;
    facts.user = user;
    facts.state = approve ? DeviceCode::State::approved : DeviceCode::State::declined;
    return true;
  }
  return false;
}

bool Tenant::take_assertion_id(std::string_view client_id, std::string_view jti) {
  const std::string key = base::sha256_hex(std::string(client_id) + "\n" + std::string(jti));
  const std::lock_guard lock(mutex_);
  if (!assertion_ids_.insert(key).second) return false;
  assertion_order_.push_back(key);
  while (assertion_order_.size() > token_count_limit) {
    assertion_ids_.erase(assertion_order_.front());
    assertion_order_.pop_front();
  }
  return true;
}

}  // namespace sandbox
