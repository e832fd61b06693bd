#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "sandbox/identity.h"
#include "sandbox/json.h"

namespace sandbox {

namespace {

constexpr std::int64_t code_life_s = 600;
constexpr std::int64_t device_life_s = 900;

WebAnswer page(const std::string& title, const std::string& inside, int status = 200) {
  WebAnswer answer;
  answer.status = status;
  answer.content_type = "text/html; charset=utf-8";
  answer.headers = {{"Cache-Control", "no-store"}, {"X-Frame-Options", "DENY"}};
  answer.body = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                base::html_escape(title) + "</title></head><body>\n<h1>" +
                base::html_escape(title) + "</h1>\n" + inside + "</body></html>\n";
  return answer;
}

// An error that may not be sent to the redirect address is shown to the person.
WebAnswer error_page(long code, const std::string& detail) {
  return page("Sign-in failed",
              "<p>" + base::html_escape(entra_description(entra_error(code, detail))) + "</p>\n",
              400);
}

WebAnswer redirect(const std::string& to, const Parameters& values) {
  std::string url = to;
  char mark = to.find('?') == std::string::npos ? '?' : '&';
  // Entra answers at the root of an address without a path.
  if (const std::size_t host = to.find("://"); to.find('/', host + 3) == std::string::npos) {
    url += '/';
  }
  for (const auto& [name, value] : values) {
    url += mark + base::percent_encode(name) + "=" + base::percent_encode(value);
    mark = '&';
  }
  WebAnswer answer;
  answer.status = 302;
  answer.content_type = "text/html; charset=utf-8";
  answer.headers = {{"Location", url}, {"Cache-Control", "no-store"}};
  return answer;
}

std::string user_choice(const Tenant& tenant) {
  std::string out = "<p>Sign in as <select name=\"sandbox_user\">";
  for (const User& user : tenant.seed().users) {
    out += "<option>" + base::html_escape(user.name) + "</option>";
  }
  return out +
         "</select></p>\n<p><button name=\"sandbox_consent\" value=\"yes\">Accept</button> "
         "<button name=\"sandbox_consent\" value=\"no\">Cancel</button></p>\n";
}

}  // namespace

WebAnswer Identity::authorize(const WebRequest& request) {
  const Parameters& asked = request.method == "POST" ? request.form : request.query;
  const std::optional<App> app = tenant_.app(parameter(asked, "client_id"));
  if (!app) return error_page(700016, parameter(asked, "client_id"));
  const std::string to = parameter(asked, "redirect_uri");
  if (!redirect_allowed(app->redirect_uris, to)) {
    journal_.note("authorize", {{"outcome", "wrong redirect"}, {"redirect", base::clean(to, 200)}});
    return error_page(50011, to);
  }
  const std::string consent = parameter(asked, "sandbox_consent");
  std::string user = parameter(asked, "sandbox_user");
  if (user.empty()) user = parameter(asked, "login_hint");
  if (!options_.auto_consent.empty()) return decide(request, asked, options_.auto_consent, true);
  if (!consent.empty()) return decide(request, asked, user, consent == "yes");
  std::string form = "<p>The application " + base::html_escape(app->name) + " asks for " +
                     base::html_escape(parameter(asked, "scope")) +
                     ".</p>\n<form method=\"post\">\n";
  for (const auto& [name, value] : asked) {
    form += "<input type=\"hidden\" name=\"" + base::html_escape(name) + "\" value=\"" +
            base::html_escape(value) + "\">\n";
  }
  journal_.note("authorize", {{"outcome", "asked"}});
  return page("Mailbearer sandbox: sign in", form + user_choice(tenant_) + "</form>\n");
}

// From here on faults go to the redirect address, RFC 6749 section 4.1.2.1.
WebAnswer Identity::decide(const WebRequest&, const Parameters& asked, const std::string& user,
                           bool agreed) {
  const std::string to = parameter(asked, "redirect_uri");
  const std::string state = parameter(asked, "state");
  const auto refuse = [&](const EntraError& error) {
    journal_.note("authorize", {{"outcome", error.error}});
    Parameters values = {{"error", error.error}, {"error_description", entra_description(error)}};
    if (error.codes == std::vector<long>{65004}) values.emplace("error_subcode", "cancel");
    if (!state.empty()) values.emplace("state", state);
    return redirect(to, values);
  };
  if (!agreed) return refuse(entra_error(65004));
  if (parameter(asked, "response_type") != "code") {
    return refuse({400,
                   "unsupported_response_type",
                   {700054},
                   "response_type is not enabled for the application.",
                   {}});
  }
  if (!tenant_.user(user)) return refuse(entra_error(50034, user));
  AuthorizationCode facts;
  facts.scope = parse_scope(parameter(asked, "scope"), true);
  if (facts.scope.fault != 0) return refuse(entra_error(facts.scope.fault, facts.scope.culprit));
  if (facts.scope.resource.empty()) return refuse(entra_error(900144, "scope"));
  facts.challenge = parameter(asked, "code_challenge");
  facts.challenge_method = parameter(asked, "code_challenge_method");
  if (facts.challenge_method.empty()) facts.challenge_method = "plain";
  if (facts.challenge_method != "plain" && facts.challenge_method != "S256") {
    return refuse(
        {400, "invalid_request", {501491}, "The code_challenge_method is not known.", {}});
  }
  facts.user = tenant_.user(user)->name;
  facts.client_id = tenant_.app(parameter(asked, "client_id"))->client_id;
  facts.redirect_uri = to;
  facts.nonce = parameter(asked, "nonce");
  facts.expires = base::wall_seconds() + code_life_s;
  Parameters values = {{"code", tenant_.issue_code(facts)}, {"session_state", random_guid()}};
  if (!state.empty()) values.emplace("state", state);
  journal_.note("authorize", {{"outcome", "ok"},
                              {"user", facts.user},
                              {"pkce", facts.challenge.empty() ? "none" : facts.challenge_method}});
  return redirect(to, values);
}

WebAnswer Identity::device_code(const WebRequest& request) {
  const std::string client_id = parameter(request.form, "client_id");
  if (client_id.empty()) return entra_answer(entra_error(900144, "client_id"));
  if (const std::optional<Fault> fault = faults_.take("devicecode")) return fault_answer(*fault);
  const std::optional<App> app = tenant_.app(client_id);
  if (!app) return entra_answer(entra_error(700016, client_id));
  if (!app->is_public()) return entra_answer(entra_error(7000218));
  DeviceCode facts;
  facts.client_id = app->client_id;
  facts.scope = parse_scope(parameter(request.form, "scope"), true);
  if (facts.scope.fault != 0) {
    return entra_answer(entra_error(facts.scope.fault, facts.scope.culprit));
  }
  if (facts.scope.resource.empty()) return entra_answer(entra_error(900144, "scope"));
  facts.expires = base::wall_seconds() + device_life_s;
  std::string user_code;
  const std::string code = tenant_.issue_device(facts, user_code);
  const std::string where = base_url_ + "/devicelogin";
  journal_.note("devicecode", {{"outcome", "ok"}});
  WebAnswer answer;
  answer.body =
      write_json({{"user_code", user_code},
                  {"device_code", code},
                  {"verification_uri", where},
                  {"expires_in", device_life_s},
                  {"interval", options_.device_interval_s},
                  {"message", "To sign in, use a web browser to open the page " + where +
                                  " and enter the code " + user_code + " to authenticate."}});
  return answer;
}

WebAnswer Identity::device_page(const WebRequest& request) {
  const std::string consent = parameter(request.form, "sandbox_consent");
  if (request.method != "POST" || consent.empty()) {
    return page("Mailbearer sandbox: enter the code",
                "<form method=\"post\">\n<p>Code <input name=\"user_code\" value=\"" +
                    base::html_escape(parameter(request.query, "user_code")) + "\"></p>\n" +
                    user_choice(tenant_) + "</form>\n");
  }
  const bool done =
      tenant_.decide_device(parameter(request.form, "user_code"),
                            parameter(request.form, "sandbox_user"), consent == "yes");
  journal_.note("devicelogin", {{"outcome", done ? "ok" : "refused"}});
  if (!done) return page("That code is not known", "<p>Ask the device for a new one.</p>\n", 400);
  return page("Done", "<p>You may close this page and go back to your device.</p>\n");
}

}  // namespace sandbox
