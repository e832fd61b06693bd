#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"
#include "sandbox/identity.h"
#include "sandbox/json.h"

namespace sandbox {

namespace {

constexpr const char* device_grant = "urn:ietf:params:oauth:grant-type:device_code";

// The grant's name for the journal: never bytes from outside.
std::string grant_name(const std::string& kind) {
  for (const char* known : {"authorization_code", "refresh_token", "client_credentials"}) {
    if (kind == known) return known;
  }
  return kind == device_grant ? "device_code" : "other";
}

}  // namespace

WebAnswer Identity::fault_answer(const Fault& fault) {
  WebAnswer answer;
  answer.status = fault.http_status == 0 ? 500 : fault.http_status;
  answer.body = fault.body;
  answer.repeat = fault.repeat;
  answer.delay_ms = fault.delay_ms;
  if (fault.action == Fault::Action::close) answer.end = WebEnd::close;
  answer.headers = fault.headers;
  return answer;
}

WebAnswer Identity::token(const WebRequest& request, const std::string& tenant) {
  const std::string kind = parameter(request.form, "grant_type");
  Details details = {{"grant", grant_name(kind)},
                     {"client", base::clean(parameter(request.form, "client_id"), 64)}};
  journal_.note("token.request", details);
  if (const std::optional<Fault> fault = faults_.take("token")) {
    details.emplace_back("outcome", "fault");
    journal_.note("token." + grant_name(kind), details);
    WebAnswer answer = fault_answer(*fault);
    // A delay alone: the true answer, later.
    if (fault->http_status != 0 || answer.end != WebEnd::answer ||
        fault->action != Fault::Action::slow) {
      return answer;
    }
    WebAnswer late = grant(request, tenant, kind);
    late.delay_ms = fault->delay_ms;
    return late;
  }
  WebAnswer answer = grant(request, tenant, kind);
  const Json body = read_json(answer.body);
  std::string outcome = answer.status == 200 ? "ok" : text_member(body, "error", "error");
  if (const Json* codes = member(body, "error_codes"); codes != nullptr && !codes->empty()) {
    outcome += " " + std::to_string(codes->front().get<long>());
  }
  details.emplace_back("outcome", outcome);
  if (answer.status == 200) {
    details.emplace_back("token", token_mark(text_member(body, "access_token")));
  }
  journal_.note("token." + grant_name(kind), details);
  return answer;
}

WebAnswer Identity::grant(const WebRequest& request, const std::string& tenant,
                          const std::string& kind) {
  if (request.content_type.rfind("application/x-www-form-urlencoded", 0) != 0) {
    return entra_answer(entra_error(900144, "grant_type"));
  }
  if (kind.empty()) return entra_answer(entra_error(900144, "grant_type"));
  const bool app_only = kind == "client_credentials";
  if (!app_only && kind != "authorization_code" && kind != "refresh_token" &&
      kind != device_grant) {
    return entra_answer(entra_error(70003, kind));
  }
  Client client;
  const std::optional<EntraError> refused = prove_client(request, tenant, app_only, client);
  if (refused) return entra_answer(*refused);
  if (app_only) return by_client(request, client.app, tenant);
  if (kind == "authorization_code") return by_code(request, client.app);
  if (kind == "refresh_token") return by_refresh(request, client.app);
  return by_device(request, client.app);
}

WebAnswer Identity::by_code(const WebRequest& request, const App& app) {
  const std::string code = parameter(request.form, "code");
  if (code.empty()) return entra_answer(entra_error(900144, "code"));
  const std::optional<AuthorizationCode> facts = tenant_.redeem_code(code);
  if (!facts || facts->client_id != app.client_id) {
    return entra_answer(entra_error(70000, "The code is not known."));
  }
  if (facts->used) return entra_answer(entra_error(54005));
  if (facts->expires <= base::wall_seconds()) return entra_answer(entra_error(70008));
  if (facts->redirect_uri != parameter(request.form, "redirect_uri")) {
    return entra_answer(entra_error(50011, parameter(request.form, "redirect_uri")));
  }
  if (!verifier_matches(parameter(request.form, "code_verifier"), facts->challenge,
                        facts->challenge_method)) {
    // Entra's own number for it; the sentence is RFC 7636's.
    return entra_answer({400,
                         "invalid_grant",
                         {501481},
                         "The Code_Verifier does not match the code_challenge supplied in the "
                         "authorization request.",
                         {}});
  }
  Scope scope = facts->scope;
  if (const std::string asked = parameter(request.form, "scope"); !asked.empty()) {
    scope = parse_scope(asked, false);
    scope.offline = facts->scope.offline;
    scope.openid = facts->scope.openid;
    if (scope.fault != 0) return entra_answer(entra_error(scope.fault, scope.culprit));
    if (scope.resource.empty()) scope = facts->scope;
  }
  return token_answer({facts->user, app.client_id, scope, scope.offline, facts->nonce});
}

WebAnswer Identity::by_refresh(const WebRequest& request, const App& app) {
  const std::string token = parameter(request.form, "refresh_token");
  if (token.empty()) return entra_answer(entra_error(900144, "refresh_token"));
  const std::optional<RefreshToken> facts = tenant_.refresh(token);
  if (!facts || facts->client_id != app.client_id) {
    return entra_answer(entra_error(70000, "The refresh token is not known."));
  }
  switch (facts->state) {
    case RefreshToken::State::good:
      break;
    case RefreshToken::State::expired: {
      EntraError error = entra_error(700082, "2026-01-01T00:00:00.0000000Z");
      return entra_answer(error);
    }
    case RefreshToken::State::revoked:
      return entra_answer(entra_error(50173));
    case RefreshToken::State::used:
      return entra_answer(entra_error(70000, "The refresh token was already used."));
  }
  if (!tenant_.user(facts->user)) return entra_answer(entra_error(50034, facts->user));
  Scope scope = facts->scope;
  if (const std::string asked = parameter(request.form, "scope"); !asked.empty()) {
    const Scope wanted = parse_scope(asked, false);
    if (wanted.fault != 0) return entra_answer(entra_error(wanted.fault, wanted.culprit));
    // A refresh token is not bound to a resource: any that the user agreed to will do.
    if (!wanted.resource.empty()) {
      scope.resource = wanted.resource;
      scope.permissions = wanted.permissions;
    }
  }
  if (options_.strict_rotation) tenant_.mark_refresh(token, RefreshToken::State::used);
  return token_answer({facts->user, app.client_id, scope, true});
}

WebAnswer Identity::by_client(const WebRequest& request, const App& app,
                              const std::string& tenant) {
  if (Tenant::is_shared(tenant)) return entra_answer(entra_error(9001023));
  const std::string asked = parameter(request.form, "scope");
  if (asked.empty()) return entra_answer(entra_error(900144, "scope"));
  Scope scope = parse_scope(asked, false);
  if (scope.fault == 28000) return entra_answer(entra_error(28000));
  if (scope.fault != 0 || !scope.is_default() || scope.offline || scope.openid) {
    return entra_answer(entra_error(1002012, asked));
  }
  return token_answer({{}, app.client_id, scope, false});
}

WebAnswer Identity::by_device(const WebRequest& request, const App& app) {
  const std::string code = parameter(request.form, "device_code");
  if (code.empty()) return entra_answer(entra_error(900144, "device_code"));
  const std::optional<DeviceCode> facts = tenant_.device(code);
  if (!facts || facts->client_id != app.client_id) return entra_answer(entra_error(70018));
  if (facts->state == DeviceCode::State::used) return entra_answer(entra_error(54005));
  if (facts->state == DeviceCode::State::declined) {
    EntraError declined = entra_error(65004);
    declined.error = "authorization_declined";
    return entra_answer(declined);
  }
  if (facts->expires <= base::wall_seconds()) return entra_answer(entra_error(70019));
  if (facts->state == DeviceCode::State::pending) return entra_answer(entra_error(70016));
  tenant_.mark_device_used(code);
  return token_answer({facts->user, app.client_id, facts->scope, facts->scope.offline});
}

WebAnswer Identity::token_answer(const TokenFacts& facts) {
  AccessToken access;
  access.resource = facts.scope.resource;
  access.permissions = facts.scope.permissions;
  access.user = facts.user;
  access.client_id = facts.client_id;
  access.issued = base::wall_seconds();
  access.expires = access.issued + options_.expires_in_s;
  if (access.app_only()) {
    // What an administrator granted to the application: ".default" stands for all of it.
    const bool graph = access.resource == "https://graph.microsoft.com";
    const std::optional<App> app = tenant_.app(access.client_id);
    access.permissions =
        graph && app ? app->graph_roles : std::vector<std::string>{"SMTP.SendAsApp"};
  }
  Json body = {{"token_type", "Bearer"}};
  if (!facts.user.empty()) body["scope"] = facts.scope.text();
  body["expires_in"] = options_.expires_in_s;
  body["ext_expires_in"] = options_.expires_in_s;
  body["access_token"] = tenant_.issue_access(access);
  if (facts.with_refresh) {
    RefreshToken refresh;
    refresh.user = facts.user;
    refresh.client_id = facts.client_id;
    refresh.scope = facts.scope;
    refresh.scope.offline = true;
    refresh.issued = access.issued;
    body["refresh_token"] = tenant_.issue_refresh(refresh);
  }
  if (facts.scope.openid && !facts.user.empty()) {
    body["id_token"] = id_token(facts, access.issued);
  }
  WebAnswer answer;
  answer.body = write_json(body);
  answer.headers = {{"Cache-Control", "no-store, no-cache"}, {"Pragma", "no-cache"}};
  return answer;
}

// The claims are Entra's; nobody can verify the signature, nor should who got it from here.
std::string Identity::id_token(const TokenFacts& facts, std::int64_t issued) {
  const std::string object = base::sha256_hex(facts.user).substr(0, 32);
  Json claims = {{"ver", "2.0"},
                 {"iss", issuer()},
                 {"sub", base::sha256_hex(facts.user + facts.client_id).substr(0, 43)},
                 {"aud", facts.client_id},
                 {"exp", issued + 3600},
                 {"iat", issued},
                 {"nbf", issued},
                 {"name", facts.user.substr(0, facts.user.find('@'))},
                 {"preferred_username", facts.user},
                 {"email", facts.user},
                 {"oid", object},
                 {"tid", tenant_.id()}};
  if (!facts.nonce.empty()) claims["nonce"] = facts.nonce;
  return base64url(R"({"typ":"JWT","alg":"RS256","kid":"sandbox"})") + "." +
         base64url(write_json(claims)) + "." + random_text(342);
}

}  // namespace sandbox
