#include "sandbox/entra.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "base/clock.h"
#include "base/text.h"
#include "sandbox/json.h"
#include "sandbox/tenant.h"

namespace sandbox {

namespace {

struct Row {
  long code;
  int status;
  const char* error;
  const char* text;  // "{}" is where the detail goes
};

// Statuses: 401 for invalid_client, 400 for the rest.
constexpr std::array rows = {
    Row{50011, 400, "invalid_request",
        "The redirect URI '{}' specified in the request does not match the redirect URIs "
        "configured "
        "for the application."},
    Row{50013, 401, "invalid_client", "Assertion failed signature validation. [Reason - {}]"},
    Row{50027, 401, "invalid_client", "JWT token is invalid or malformed. {}"},
    Row{50034, 400, "invalid_grant", "The user account {} does not exist in the directory."},
    Row{50173, 400, "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed."},
    Row{50194, 400, "invalid_request",
        "Application is not configured as a multi-tenant application. Usage of the /{} endpoint is "
        "not supported."},
    Row{54005, 400, "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use "
        "an existing refresh token."},
    Row{65004, 400, "access_denied", "User declined to consent to access the app."},
    Row{28000, 400, "invalid_scope",
        "Provided value for the input parameter scope is not valid because it contains more than "
        "one resource."},
    Row{70000, 400, "invalid_grant", "Provided grant is invalid or malformed. {}"},
    Row{70003, 400, "unsupported_grant_type", "The app requested an unsupported grant type '{}'."},
    Row{70008, 400, "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity. Send a "
        "new interactive authorization request for this user and resource."},
    Row{70011, 400, "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value for the "
        "input parameter 'scope' is not valid. The scope {} is not valid."},
    Row{70016, 400, "authorization_pending",
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling."},
    Row{70018, 400, "bad_verification_code",
        "Invalid verification code due to User typing in wrong user code for device code flow."},
    Row{70019, 400, "expired_token", "Verification code expired."},
    Row{70043, 400, "invalid_grant",
        "The refresh token has expired or is invalid due to sign-in frequency checks by "
        "conditional "
        "access."},
    Row{90002, 400, "invalid_request",
        "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing "
        "into the correct cloud."},
    Row{700016, 400, "unauthorized_client",
        "Application with identifier '{}' was not found in the directory."},
    Row{700021, 401, "invalid_client",
        "Client assertion application identifier doesn't match 'client_id' parameter."},
    Row{700023, 401, "invalid_client",
        "Client assertion audience claim does not match Realm issuer."},
    Row{700024, 401, "invalid_client", "Client assertion is not within its valid time range. {}"},
    Row{700025, 401, "invalid_client",
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."},
    Row{700027, 401, "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on "
        "application. [Reason - {}]"},
    Row{700082, 400, "invalid_grant",
        "The refresh token has expired due to inactivity. The token was issued on {} and was "
        "inactive for 90.00:00:00."},
    Row{900144, 400, "invalid_request",
        "The request body must contain the following parameter: '{}'."},
    Row{1002012, 400, "invalid_scope",
        "The provided value for scope {} is not valid. Client credential flows must have a scope "
        "value with /.default suffixed to the resource identifier (application ID URI)."},
    Row{7000215, 401, "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client "
        "secret value, not the client secret ID, for a secret added to app '{}'."},
    Row{7000218, 401, "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or "
        "'client_secret'."},
    Row{7000222, 401, "invalid_client",
        "The provided client secret keys for app '{}' are expired. Visit the Azure portal to "
        "create "
        "new keys for your app, or consider using certificate credentials for added security."},
    Row{9001023, 400, "invalid_request",
        "The grant type is not supported over the /common or /consumers endpoints. Please use the "
        "/organizations or tenant-specific endpoint."},
};

std::string utc_stamp() {
  const std::time_t now = base::wall_seconds();
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text.data();
}

struct Marks {
  std::string trace = random_guid();
  std::string correlation = random_guid();
  std::string timestamp = utc_stamp();
};

std::string description(const EntraError& error, const Marks& marks) {
  std::string text;
  if (!error.codes.empty()) text = "AADSTS" + std::to_string(error.codes[0]) + ": ";
  return text + error.text + " Trace ID: " + marks.trace + " Correlation ID: " + marks.correlation +
         " Timestamp: " + marks.timestamp;
}

}  // namespace

std::string entra_description(const EntraError& error) {
  return description(error, Marks{});
}

WebAnswer entra_answer(const EntraError& error) {
  const Marks marks;
  Json body = {{"error", error.error},       {"error_description", description(error, marks)},
               {"error_codes", error.codes}, {"timestamp", marks.timestamp},
               {"trace_id", marks.trace},    {"correlation_id", marks.correlation}};
  if (!error.codes.empty()) {
    body["error_uri"] =
        "https://login.microsoftonline.com/error?code=" + std::to_string(error.codes[0]);
  }
  if (!error.suberror.empty()) body["suberror"] = error.suberror;
  WebAnswer answer;
  answer.status = error.status;
  answer.body = write_json(body);
  answer.headers = {{"Cache-Control", "no-store, no-cache"}, {"Pragma", "no-cache"}};
  return answer;
}

EntraError entra_error(long code, const std::string& detail) {
  for (const Row& row : rows) {
    if (row.code != code) continue;
    EntraError error{row.status, row.error, {code}, row.text, {}};
    if (const std::size_t at = error.text.find("{}"); at != std::string::npos) {
      error.text.replace(at, 2, base::clean(detail, 200));
    }
    return error;
  }
  return {400, "invalid_request", {code}, detail.empty() ? "Sandbox error." : detail, {}};
}

}  // namespace sandbox
