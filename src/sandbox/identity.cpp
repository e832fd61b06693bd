#include "sandbox/identity.h"

#include <algorithm>

#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"
#include "sandbox/json.h"

namespace sandbox {

namespace {

WebAnswer not_found() {
  WebAnswer answer;
  answer.status = 404;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = "There is nothing here.\n";
  return answer;
}

WebAnswer wrong_method() {
  WebAnswer answer = not_found();
  answer.status = 405;
  answer.body = "Method not allowed.\n";
  return answer;
}

struct Url {
  std::string scheme;
  std::string host;
  std::string port;
  std::string path;
};

// Enough of RFC 3986 for redirect addresses.
bool split_url(const std::string& text, Url& url) {
  const std::size_t colon = text.find("://");
  if (colon == std::string::npos || base::has_control(text) ||
      text.find_first_of("#@ ") != std::string::npos) {
    return false;
  }
  url.scheme = base::lower(text.substr(0, colon));
  const std::size_t slash = text.find('/', colon + 3);
  const std::string authority = text.substr(colon + 3, slash - colon - 3);
  const std::size_t port = authority.rfind(':');
  url.host = base::lower(authority.substr(0, port));
  url.port = port == std::string::npos ? "" : authority.substr(port + 1);
  url.path = slash == std::string::npos ? "/" : text.substr(slash);
  return !url.host.empty();
}

// "/{tenant}/oauth2/v2.0/{service}" or "/{tenant}/v2.0/.well-known/openid-configuration".
bool split_path(const std::string& path, std::string& tenant, std::string& service) {
  const std::vector<std::string_view> pieces = base::split(path, '/');
  if (pieces.size() != 5 || !pieces[0].empty()) return false;
  tenant = pieces[1];
  if (pieces[2] == "oauth2" && pieces[3] == "v2.0") {
    service = pieces[4];
    return true;
  }
  service = "discovery";
  return pieces[2] == "v2.0" && pieces[3] == ".well-known" && pieces[4] == "openid-configuration";
}

}  // namespace

bool redirect_allowed(const std::vector<std::string>& registered, const std::string& asked) {
  Url wanted;
  if (!split_url(asked, wanted)) return false;
  return std::any_of(registered.begin(), registered.end(), [&](const std::string& one) {
    Url known;
    if (!split_url(one, known)) return false;
    const bool loopback =
        known.scheme == "http" && (known.host == "localhost" || known.host == "127.0.0.1");
    return known.scheme == wanted.scheme && known.host == wanted.host &&
           known.path == wanted.path && (loopback || known.port == wanted.port);
  });
}

bool verifier_matches(const std::string& verifier, const std::string& challenge,
                      const std::string& method) {
  if (challenge.empty()) return verifier.empty();
  if (verifier.size() < 43 || verifier.size() > 128) return false;
  if (method == "plain") return verifier == challenge;
  const std::string hex = base::sha256_hex(verifier);
  std::string digest;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const auto value = [](char c) { return base::is_digit(c) ? c - '0' : c - 'a' + 10; };
    digest += static_cast<char>(value(hex[i]) * 16 + value(hex[i + 1]));
  }
  return base64url(digest) == challenge;
}

WebAnswer Identity::answer(const WebRequest& request) {
  if (request.path == "/introspect" || request.path == "/introspect/") return introspect(request);
  if (request.path == "/devicelogin") return device_page(request);
  std::string tenant;
  std::string service;
  if (!split_path(request.path, tenant, service)) return not_found();
  return tenant_service(request, tenant, service);
}

WebAnswer Identity::tenant_service(const WebRequest& request, const std::string& tenant,
                                   const std::string& service) {
  if (!Tenant::is_shared(tenant) && !tenant_.is_named(tenant)) {
    journal_.note("tenant", {{"outcome", "unknown"}, {"tenant", base::clean(tenant, 100)}});
    return entra_answer(entra_error(90002, tenant));
  }
  if (service == "token") {
    return request.method == "POST" ? token(request, tenant) : wrong_method();
  }
  if (service == "devicecode") {
    return request.method == "POST" ? device_code(request) : wrong_method();
  }
  if (service == "authorize") return authorize(request);
  if (service == "discovery") return discovery(tenant);
  return not_found();
}

WebAnswer Identity::discovery(const std::string& tenant) {
  const std::string at = base_url_ + "/" + tenant;
  const Json body = {
      {"issuer", issuer()},
      {"authorization_endpoint", at + "/oauth2/v2.0/authorize"},
      {"token_endpoint", at + "/oauth2/v2.0/token"},
      {"device_authorization_endpoint", at + "/oauth2/v2.0/devicecode"},
      {"introspection_endpoint", base_url_ + "/introspect"},
      {"response_types_supported", Json::array({"code"})},
      {"code_challenge_methods_supported", Json::array({"S256", "plain"})},
      {"token_endpoint_auth_methods_supported",
       Json::array({"client_secret_post", "client_secret_basic", "private_key_jwt"})}};
  WebAnswer answer;
  answer.body = write_json(body);
  return answer;
}

// RFC 7662. The caller proves itself as a confidential client (Basic), as section 2.1 asks; or
// shows the token alone, as its bearer, and learns about that one.
WebAnswer Identity::introspect(const WebRequest& request) {
  std::string asked = parameter(request.form, "token");
  if (asked.empty()) asked = parameter(request.query, "token");
  if (base::starts_with_ignoring_case(request.authorization, "Bearer ")) {
    asked = request.authorization.substr(7);
  } else {
    Client client;
    const std::optional<EntraError> refused = prove_client(request, tenant_.id(), true, client);
    if (refused) return entra_answer(*refused);
  }
  const std::optional<AccessToken> facts = tenant_.access(asked);
  Json body = {{"active", false}};
  if (facts && !facts->revoked && facts->expires > base::wall_seconds()) {
    std::string scope;
    for (const std::string& one : facts->permissions) scope += (scope.empty() ? "" : " ") + one;
    body = {{"active", true},         {"scope", scope},       {"client_id", facts->client_id},
            {"token_type", "Bearer"}, {"iat", facts->issued}, {"exp", facts->expires},
            {"aud", facts->resource}};
    if (!facts->app_only()) {
      body["username"] = facts->user;
      body["email"] = facts->user;
      body["sub"] = facts->user;
    }
  }
  journal_.note("introspect", {{"outcome", body["active"] == true ? "active" : "inactive"},
                               {"token", token_mark(asked)}});
  WebAnswer answer;
  answer.body = write_json(body);
  return answer;
}

}  // namespace sandbox
