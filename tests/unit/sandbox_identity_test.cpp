#include "sandbox/identity.h"

#include "catch.h"
#include "sandbox_client.h"

using namespace sandbox_test;
using sandbox::Json;
using sandbox::Options;

namespace {

constexpr const char* public_id = "11111111-1111-4111-8111-111111111111";
constexpr const char* secret_id = "22222222-2222-4222-8222-222222222222";
constexpr const char* form_type = "application/x-www-form-urlencoded";
constexpr const char* smtp_scope = "https://outlook.office.com/SMTP.Send offline_access";
// RFC 7636 appendix B.
const std::string verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const std::string challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

long code_of(const Answer& answer) {
  const Json body = answer.json();
  return body.contains("error_codes") ? body["error_codes"][0].get<long>() : 0;
}

std::string secret_of(const Running& running) {
  return running.description()["apps"][1]["secret"];
}

Answer client_credentials(const Running& running, const std::string& secret,
                          const std::string& scope = "https://outlook.office365.com/.default",
                          const std::string& tenant = "sandbox.example") {
  return post_form(running, "/" + tenant + "/oauth2/v2.0/token",
                   {{"grant_type", "client_credentials"},
                    {"client_id", secret_id},
                    {"client_secret", secret},
                    {"scope", scope}});
}

std::string location(const Answer& answer) {
  const std::size_t at = answer.head.find("Location: ");
  if (at == std::string::npos) return {};
  return answer.head.substr(at + 10, answer.head.find("\r\n", at) - at - 10);
}

std::string query_value(const std::string& url, const std::string& name) {
  std::size_t at = url.find("?" + name + "=");
  if (at == std::string::npos) at = url.find("&" + name + "=");
  if (at == std::string::npos) return {};
  const std::size_t from = at + name.size() + 2;
  return url.substr(from, url.find('&', from) - from);
}

std::string authorize_path(const std::string& redirect, const std::string& more) {
  return std::string("/sandbox.example/oauth2/v2.0/authorize?client_id=") + public_id +
         "&response_type=code&redirect_uri=" + base::percent_encode(redirect) +
         "&scope=" + base::percent_encode(smtp_scope) + "&state=s1&code_challenge=" + challenge +
         "&code_challenge_method=S256" + more;
}

}  // namespace

TEST_CASE("identity: a refresh gives Entra's answer and a new refresh token", "[sandbox]") {
  Running running;
  REQUIRE(running.box);
  const std::string first = first_refresh_token(running);
  const Answer answer = refresh(running, first);
  REQUIRE(answer.status == 200);
  const Json body = answer.json();
  CHECK(body["token_type"] == "Bearer");
  CHECK(body["expires_in"] == 3599);
  CHECK(body["scope"] == "https://outlook.office.com/SMTP.Send");
  CHECK(body["access_token"].get<std::string>().size() > 1500);
  CHECK(body["access_token"].get<std::string>().size() < 2600);
  CHECK(body["refresh_token"] != first);
  // Microsoft lets the old one live; a client that lost the new one is not shut out.
  CHECK(refresh(running, first).status == 200);
  CHECK(refresh(running, body["refresh_token"]).status == 200);
}

TEST_CASE("identity: strict rotation makes the old refresh token worthless", "[sandbox]") {
  Options options;
  options.strict_rotation = true;
  options.expires_in_s = 7;
  Running running(options);
  const std::string first = first_refresh_token(running);
  const Json body = refresh(running, first).json();
  CHECK(body["expires_in"] == 7);
  const Answer again = refresh(running, first);
  CHECK(again.status == 400);
  CHECK(again.json()["error"] == "invalid_grant");
  CHECK(refresh(running, body["refresh_token"]).status == 200);
}

TEST_CASE("identity: errors have Entra's shape and number (T1, T2)", "[sandbox]") {
  Running running;
  const Answer unknown = refresh(running, "nonsense");
  CHECK(unknown.status == 400);
  const Json body = unknown.json();
  CHECK(body["error"] == "invalid_grant");
  const std::string text = body["error_description"];
  CHECK(text.substr(0, 13) == "AADSTS70000: ");
  CHECK(text.find(" Trace ID: " + body["trace_id"].get<std::string>() +
                  " Correlation ID: " + body["correlation_id"].get<std::string>() +
                  " Timestamp: " + body["timestamp"].get<std::string>()) != std::string::npos);
  CHECK(control(running, "expire", {{"user", "me@sandbox.example"}}).status == 200);
  CHECK(code_of(refresh(running, first_refresh_token(running))) == 700082);
  CHECK(refresh(running, first_refresh_token(running, 1)).status == 200);
  CHECK(control(running, "revoke", Json::object()).status == 200);
  CHECK(code_of(refresh(running, first_refresh_token(running, 1))) == 50173);
  const auto post = [&](const std::vector<std::pair<std::string, std::string>>& values,
                        const char* path = token_path) { return post_form(running, path, values); };
  CHECK(code_of(post({{"client_id", public_id}})) == 900144);
  CHECK(code_of(post({{"grant_type", "password"}, {"client_id", public_id}})) == 70003);
  CHECK(code_of(post({{"grant_type", "refresh_token"}, {"client_id", "x"}})) == 700016);
  CHECK(code_of(post(
            {{"grant_type", "refresh_token"}, {"client_id", public_id}, {"client_secret", "s"}})) ==
        700025);
  CHECK(code_of(post({}, "/other.example/oauth2/v2.0/token")) == 90002);
  CHECK(http(running, "GET", token_path).status == 405);
  CHECK(http(running, "GET", "/nothing").status == 404);
  CHECK(http(running, "POST", token_path, "{}", "application/json").status == 400);
}

TEST_CASE("identity: a refresh may ask for one resource, never for two", "[sandbox]") {
  Running running;
  const std::string token = first_refresh_token(running);
  CHECK(refresh(running, token, "https://graph.microsoft.com/Mail.Send").json()["scope"] ==
        "https://graph.microsoft.com/Mail.Send");
  CHECK(code_of(refresh(running, token,
                        "https://graph.microsoft.com/Mail.Send "
                        "https://outlook.office.com/SMTP.Send")) == 28000);
  CHECK(code_of(refresh(running, token, "https://example.org/x")) == 70011);
}

TEST_CASE("identity: client credentials by secret", "[sandbox]") {
  Running running;
  const std::string secret = secret_of(running);
  const Answer good = client_credentials(running, secret);
  REQUIRE(good.status == 200);
  CHECK_FALSE(good.json().contains("refresh_token"));
  CHECK(code_of(client_credentials(running, "wrong")) == 7000215);
  CHECK(client_credentials(running, "wrong").status == 401);
  CHECK(code_of(client_credentials(running, "")) == 7000218);
  CHECK(code_of(client_credentials(running, secret, "https://outlook.office.com/SMTP.Send")) ==
        1002012);
  CHECK(code_of(client_credentials(running, secret, "https://outlook.office365.com/.default",
                                   "common")) == 9001023);
  const Answer basic =
      http(running, "POST", token_path,
           "grant_type=client_credentials&scope=https%3A%2F%2Foutlook.office365.com%2F.default",
           form_type,
           "Basic " + base::base64(std::string(secret_id) + ":" + base::percent_encode(secret)));
  CHECK(basic.status == 200);
  CHECK(control(running, "secret", {{"client_id", secret_id}}).status == 200);
  CHECK(code_of(client_credentials(running, secret)) == 7000222);
}

TEST_CASE("identity: an application's token opens the mailboxes it was given", "[sandbox]") {
  Running running;
  const std::string token = client_credentials(running, secret_of(running)).json()["access_token"];
  const std::string other =
      client_credentials(running, secret_of(running), "https://outlook.office.com/.default")
          .json()["access_token"];
  const auto client = secured(running);
  CHECK(client->ask("AUTH XOAUTH2 " + xoauth2("me@sandbox.example", token)).substr(0, 3) == "535");
  CHECK(client->ask("AUTH XOAUTH2 " + xoauth2("noreply@sandbox.example", other)).substr(0, 3) ==
        "535");
  CHECK(client->ask("AUTH XOAUTH2 " + xoauth2("noreply@sandbox.example", token)).substr(0, 3) ==
        "235");
  CHECK(client->ask("MAIL FROM:<shop@apps.sandbox.example>").substr(0, 3) == "250");
}

TEST_CASE("identity: authorization code with PKCE, one use", "[sandbox]") {
  Running running;
  const std::string back = "http://localhost:50123";
  CHECK(http(running, "GET", authorize_path(back, "")).body.find("<form") != std::string::npos);
  const std::string yes = "&sandbox_consent=yes&login_hint=me%40sandbox.example";
  const Answer agreed = http(running, "GET", authorize_path(back, yes));
  REQUIRE(agreed.status == 302);
  const std::string url = location(agreed);
  CHECK(url.substr(0, back.size() + 2) == back + "/?");
  CHECK(query_value(url, "state") == "s1");
  const auto redeem = [&](const std::string& code, const std::string& proof,
                          const std::string& to) {
    return post_form(running, token_path,
                     {{"grant_type", "authorization_code"},
                      {"client_id", public_id},
                      {"code", code},
                      {"redirect_uri", to},
                      {"code_verifier", proof}});
  };
  const std::string code = query_value(url, "code");
  const Answer tokens = redeem(code, verifier, back);
  REQUIRE(tokens.status == 200);
  CHECK(tokens.json().contains("refresh_token"));
  CHECK(code_of(redeem(code, verifier, back)) == 54005);
  const auto fresh = [&] {
    return query_value(location(http(running, "GET", authorize_path(back, yes))), "code");
  };
  CHECK(redeem(fresh(), verifier + "x", back).status == 400);
  CHECK(redeem(fresh(), "", back).status == 400);
  CHECK(code_of(redeem(fresh(), verifier, back + "/")) == 50011);
  CHECK(query_value(location(http(running, "GET", authorize_path(back, "&sandbox_consent=no"))),
                    "error") == "access_denied");
}

TEST_CASE("identity: redirect addresses match as Entra matches them", "[sandbox]") {
  const std::vector<std::string> known = {"http://localhost", "http://localhost/signed-in",
                                          "https://app.example/back"};
  using sandbox::redirect_allowed;
  CHECK(redirect_allowed(known, "http://localhost:1234"));
  CHECK(redirect_allowed(known, "http://localhost:1234/"));
  CHECK(redirect_allowed(known, "http://LOCALHOST:9/signed-in"));
  CHECK(redirect_allowed(known, "https://app.example/back"));
  CHECK_FALSE(redirect_allowed(known, "http://localhost:9/Signed-In"));
  CHECK_FALSE(redirect_allowed(known, "http://127.0.0.1:1234"));
  CHECK_FALSE(redirect_allowed(known, "https://localhost:1234"));
  CHECK_FALSE(redirect_allowed(known, "https://app.example:8443/back"));
  CHECK_FALSE(redirect_allowed(known, "http://localhost@evil.example"));
  CHECK_FALSE(redirect_allowed(known, ""));
  Running running;
  const Answer refused = http(running, "GET", authorize_path("http://evil.example", ""));
  CHECK(refused.status == 400);
  CHECK(location(refused).empty());
}

TEST_CASE("identity: the page shows nothing unescaped", "[sandbox]") {
  Running running;
  const Answer page =
      http(running, "GET", authorize_path("http://localhost:1", "&x=%22%3E%3Cscript%3E"));
  CHECK(page.status == 200);
  CHECK(page.body.find("<script>") == std::string::npos);
}

TEST_CASE("identity: device code waits, is approved, is used once", "[sandbox]") {
  Running running;
  const Json device = post_form(running, "/sandbox/oauth2/v2.0/devicecode",
                                {{"client_id", public_id}, {"scope", smtp_scope}})
                          .json();
  CHECK(device["interval"] == 5);
  CHECK(device["expires_in"] == 900);
  const auto poll = [&] {
    return post_form(running, token_path,
                     {{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                      {"client_id", public_id},
                      {"device_code", device["device_code"]}});
  };
  CHECK(poll().json()["error"] == "authorization_pending");
  CHECK(
      control(running, "device", {{"user_code", "WRONG"}, {"user", "me@sandbox.example"}}).status ==
      400);
  CHECK(control(running, "device",
                {{"user_code", device["user_code"]}, {"user", "me@sandbox.example"}})
            .status == 200);
  const Answer done = poll();
  CHECK(done.status == 200);
  CHECK(done.json().contains("refresh_token"));
  CHECK(poll().status == 400);
  const Json second = post_form(running, "/sandbox/oauth2/v2.0/devicecode",
                                {{"client_id", public_id}, {"scope", smtp_scope}})
                          .json();
  post_form(running, "/devicelogin",
            {{"user_code", second["user_code"]},
             {"sandbox_user", "me@sandbox.example"},
             {"sandbox_consent", "no"}});
  CHECK(post_form(running, token_path,
                  {{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                   {"client_id", public_id},
                   {"device_code", second["device_code"]}})
            .json()["error"] == "authorization_declined");
}

TEST_CASE("identity: introspection tells a live token from a dead one (RFC 7662)", "[sandbox]") {
  Running running;
  const std::string token = refresh(running, first_refresh_token(running)).json()["access_token"];
  const std::string basic =
      "Basic " + base::base64(std::string(secret_id) + ":" + secret_of(running));
  const auto ask = [&](const std::string& what, const std::string& authorization) {
    return http(running, "POST", "/introspect", "token=" + what, form_type, authorization);
  };
  CHECK(ask(token, "").status == 400);
  const Json live = ask(token, basic).json();
  CHECK(live["active"] == true);
  CHECK(live["username"] == "me@sandbox.example");
  CHECK(ask("nothing", basic).json() == Json({{"active", false}}));
  CHECK(http(running, "GET", "/introspect", "", "", "Bearer " + token).json()["active"] == true);
  control(running, "revoke", {{"what", "access"}});
  CHECK(ask(token, basic).json() == Json({{"active", false}}));
}

TEST_CASE("identity: faults of the token endpoint (T3, T4)", "[sandbox]") {
  Running running;
  const std::string token = first_refresh_token(running);
  const auto with = [&](const Json& fault) {
    Json asked = fault;
    asked["stage"] = "token";
    CHECK(control(running, "fault", asked).status == 200);
    return refresh(running, token);
  };
  const Answer busy = with({{"status", 429}, {"retry_after", 17}});
  CHECK(busy.status == 429);
  CHECK(busy.head.find("Retry-After: 17\r\n") != std::string::npos);
  const Answer page = with({{"status", 200}, {"body", "<html>"}});
  CHECK(page.body == "<html>");
  CHECK(with({{"body", "ab"}, {"repeat", 1'000'000}}).body.size() == 2'000'000);
  const Answer moved = with({{"redirect", "http://127.0.0.1:9/x"}});
  CHECK(moved.status == 302);
  CHECK(location(moved) == "http://127.0.0.1:9/x");
  CHECK(with({{"action", "close"}}).status == 0);
  const Answer dead = with({{"error", "invalid_grant"}, {"code", 700082}});
  CHECK(dead.status == 400);
  CHECK(code_of(dead) == 700082);
  CHECK(with({{"delay_ms", 50}}).status == 200);
  CHECK(refresh(running, token).status == 200);
  CHECK(running.box->journal().count("token.request") == 8);
}

TEST_CASE("identity: bodies and paths without end are refused", "[sandbox]") {
  Running running;
  CHECK(http(running, "GET", "/" + std::string(5000, 'x')).status == 414);
  CHECK(http(running, "POST", token_path, std::string(5 * 1024 * 1024, 'x'), form_type).status !=
        200);
  CHECK(refresh(running, first_refresh_token(running)).status == 200);
}

TEST_CASE("identity: the verifier is compared as RFC 7636 says", "[sandbox]") {
  using sandbox::verifier_matches;
  CHECK(verifier_matches(verifier, challenge, "S256"));
  CHECK_FALSE(verifier_matches(challenge, challenge, "S256"));
  CHECK(verifier_matches(verifier, verifier, "plain"));
  CHECK_FALSE(verifier_matches("short", "short", "plain"));
  CHECK_FALSE(verifier_matches("", challenge, "S256"));
  CHECK(verifier_matches("", "", "plain"));
  CHECK_FALSE(verifier_matches(verifier, "", "plain"));
}
