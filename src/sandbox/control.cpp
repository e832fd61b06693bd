#include "sandbox/control.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "sandbox/assertion.h"

namespace sandbox {

namespace {

WebAnswer json_answer(int status, const Json& body) {
  WebAnswer answer;
  answer.status = status;
  answer.body = write_json(body) + "\n";
  return answer;
}

// Takes the same time wherever the first difference is.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |=
        static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

}  // namespace

WebAnswer Control::answer(const WebRequest& request) {
  static constexpr std::array verbs = {
      Verb{"/control/fault", &Control::fault},
      Verb{"/control/reset", &Control::reset},
      Verb{"/control/revoke", &Control::revoke},
      Verb{"/control/expire", &Control::expire},
      Verb{"/control/secret", &Control::secret},
      Verb{"/control/smtp-auth", &Control::smtp_auth},
      Verb{"/control/device", &Control::device},
      Verb{"/control/limits", &Control::limits},
      Verb{"/control/certificate", &Control::certificate},
      Verb{"/control/issue", &Control::issue},
      Verb{"/control/sessions", &Control::sessions},
  };
  if (!same_secret(request.authorization, "Bearer " + token_)) {
    return json_answer(401, {{"error", "the token of sandbox.json is needed"}});
  }
  if (request.method == "GET" && request.path == "/control/journal") {
    Json counts = Json::object();
    for (const auto& [what, count] : journal_.counts()) counts[what] = count;
    return json_answer(200, {{"counts", counts}});
  }
  if (request.method == "GET" && request.path == "/control/drafts") {
    return json_answer(200, drafts_.tell());
  }
  const auto* found = std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) {
    return request.path == verb.path && request.method == "POST";
  });
  if (found == verbs.end()) return json_answer(404, {{"error", "no such control"}});
  const Json asked = request.body.empty() ? Json::object() : read_json(request.body);
  if (!asked.is_object()) return json_answer(400, {{"error", "the body is no JSON object"}});
  Json told = {{"done", true}};
  const std::string wrong = (this->*found->act)(asked, told);
  if (!wrong.empty()) return json_answer(400, {{"error", wrong}});
  journal_.note("control", {{"outcome", found->path + 9}});
  return json_answer(200, told);
}

std::string Control::fault(const Json& asked, Json&) {
  std::string wrong;
  Fault fault = read_fault(asked, wrong);
  if (wrong.empty()) faults_.set(std::move(fault));
  return wrong;
}

std::string Control::reset(const Json&, Json&) {
  faults_.clear();
  drafts_.clear();
  tenant_.reset_switches();
  limits_.set(options_.messages_per_minute, options_.connections_per_mailbox);
  limits_.forget_messages();
  journal_.forget_counts();
  return {};
}

std::string Control::revoke(const Json& asked, Json&) {
  const std::string user = text_member(asked, "user");
  const std::string what = text_member(asked, "what", "all");
  if (what != "all" && what != "access" && what != "refresh") {
    return "what must be access, refresh or all";
  }
  if (what != "refresh") tenant_.revoke_access(user);
  if (what != "access") tenant_.set_refresh(user, RefreshToken::State::revoked);
  return {};
}

std::string Control::expire(const Json& asked, Json&) {
  const std::string user = text_member(asked, "user");
  const std::string what = text_member(asked, "what", "refresh");
  if (what != "access" && what != "refresh") return "what must be access or refresh";
  if (what == "access") {
    tenant_.expire_access(user);
  } else {
    tenant_.set_refresh(user, RefreshToken::State::expired);
  }
  return {};
}

std::string Control::secret(const Json& asked, Json&) {
  const bool found = tenant_.set_secret_expired(text_member(asked, "client_id"),
                                                flag_member(asked, "expired", true));
  return found ? "" : "no such client_id";
}

std::string Control::smtp_auth(const Json& asked, Json&) {
  const bool found =
      tenant_.set_smtp_auth(text_member(asked, "user"), flag_member(asked, "enabled", false));
  return found ? "" : "no such user";
}

std::string Control::device(const Json& asked, Json&) {
  const bool found =
      tenant_.decide_device(text_member(asked, "user_code"), text_member(asked, "user"),
                            flag_member(asked, "approve", true));
  return found ? "" : "no such user_code that waits, or no such user";
}

std::string Control::limits(const Json& asked, Json&) {
  limits_.set(std::max<std::int64_t>(0, number_member(asked, "messages_per_minute")),
              std::max<std::int64_t>(0, number_member(asked, "connections")));
  limits_.forget_messages();
  return {};
}

std::string Control::certificate(const Json& asked, Json&) {
  const std::string pem = text_member(asked, "pem");
  if (!is_rsa_certificate(pem)) return "pem is no certificate with an RSA key";
  return tenant_.add_certificate(text_member(asked, "client_id"), pem) ? "" : "no such client_id";
}

std::string Control::sessions(const Json& asked, Json&) {
  if (!flag_member(asked, "expired")) return "expired must be true";
  drafts_.expire_sessions();
  return {};
}

std::string Control::issue(const Json& asked, Json& told) {
  const std::optional<User> user = tenant_.user(text_member(asked, "user"));
  const std::optional<App> app = tenant_.app(text_member(asked, "client_id"));
  const Scope scope = parse_scope(
      text_member(asked, "scope", "https://outlook.office.com/SMTP.Send offline_access"), false);
  if (!user || !app) return "user and client_id must be known";
  if (scope.fault != 0 || scope.resource.empty()) return "scope is not known";
  RefreshToken refresh;
  refresh.user = user->name;
  refresh.client_id = app->client_id;
  refresh.scope = scope;
  refresh.issued = base::wall_seconds();
  told["refresh_token"] = tenant_.issue_refresh(refresh);
  AccessToken access;
  access.resource = scope.resource;
  access.permissions = scope.permissions;
  access.user = user->name;
  access.client_id = app->client_id;
  access.issued = refresh.issued;
  access.expires = refresh.issued + number_member(asked, "expires_in", options_.expires_in_s);
  told["access_token"] = tenant_.issue_access(access);
  return {};
}

}  // namespace sandbox
