#include <algorithm>
#include <array>
#include <iterator>

#include "base/replies.h"
#include "base/text.h"

namespace base {

namespace {

// What to do, as a sentence that a person can follow. {account} is replaced. `again` differs by
// grant: a person signs in, an app gets a new secret.
constexpr const char* again = "";
constexpr const char* login = "run: mailbearer login {account}";
constexpr const char* new_secret = "run: mailbearer secret set {account} client-secret";
constexpr const char* doctor = "run: mailbearer doctor {account}";
constexpr const char* wait = "try again";

// RFC 6749 5.2, OpenID Connect Core 3.1.2.6, RFC 8628 3.5 and Microsoft's own; facts 1.8. The
// class follows `error` alone: Microsoft says that numbers and texts may change.
struct ErrorRow {
  const char* error;
  FaultClass kind;
  const char* cause;
  const char* cure;
};
constexpr FaultClass hold = FaultClass::hold;
constexpr FaultClass temporary = FaultClass::temporary;
constexpr std::array error_rows = {
    ErrorRow{"temporarily_unavailable", temporary, "sign-in service is busy", wait},
    ErrorRow{"server_error", temporary, "sign-in service has a fault", wait},
    ErrorRow{"authorization_pending", temporary, "sign-in is not finished yet", wait},
    ErrorRow{"slow_down", temporary, "sign-in service asks for fewer requests", wait},
    ErrorRow{"invalid_grant", hold, "sign-in expired or revoked", again},
    ErrorRow{"interaction_required", hold, "sign-in needs a person", login},
    ErrorRow{"login_required", hold, "sign-in needs a person", login},
    ErrorRow{"consent_required", hold, "consent is missing", login},
    ErrorRow{"invalid_client", hold, "client id or secret refused", new_secret},
    ErrorRow{"unauthorized_client", hold, "app may not use this grant",
             "check client_id, grant and the app registration of {account}"},
    ErrorRow{"invalid_scope", hold, "scope refused", "check scope of {account}"},
    ErrorRow{"invalid_resource", hold, "resource refused", "check scope and resource of {account}"},
    ErrorRow{"invalid_request", hold, "token request refused", doctor},
    ErrorRow{"unsupported_grant_type", hold, "grant is not supported by the server",
             "check grant and token_endpoint of {account}"},
    ErrorRow{"access_denied", hold, "sign-in was denied", login},
    ErrorRow{"authorization_declined", hold, "sign-in was declined", login},
    ErrorRow{"expired_token", hold, "sign-in code expired", login},
    ErrorRow{"bad_verification_code", hold, "sign-in code is wrong", login},
};

// Microsoft's numbers (reference-error-codes of entra-docs; facts 1.9). They choose the words, and
// the class only where `error` is absent or unknown. `detail` follows the number in brackets.
struct CodeRow {
  long code;
  FaultClass kind;
  const char* cause;
  const char* detail;
  const char* cure;
};

constexpr const char* fix_tenant = "check tenant of {account}";
constexpr const char* fix_client = "check client_id and tenant of {account}";
constexpr const char* fix_scope = "check scope of {account}";
constexpr const char* fix_request = "check the account's keys; run: mailbearer doctor {account}";
constexpr const char* fix_certificate = "check clock, certificate and key of {account}";
constexpr const char* fix_federation =
    "compare issuer, subject and audience of the credential, case counts; new ones need minutes";
constexpr const char* fix_redirect =
    "add http://localhost under Mobile and desktop applications of the app";
constexpr const char* ask_consent =
    "grant consent for the app, then run: mailbearer login {account}";
constexpr const char* ask_exception =
    "exclude app or account from the policy, use a named location, or grant = app";
constexpr const char* enable_app = "enable the app under Enterprise applications";

constexpr const char* no_session = "sign-in session is gone";
constexpr const char* no_resource = "resource is unknown in the tenant";
constexpr const char* bad_redirect = "redirect address is not registered";
constexpr const char* bad_assertion = "signed assertion refused";
constexpr const char* wrong_tenant = "account type does not fit the app";
constexpr const char* no_tenant = "tenant is missing or unknown";
constexpr const char* password_expired = "password expired";
constexpr const char* wrong_password = "user name or password is wrong";
constexpr const char* needs_mfa = "second factor needed";
constexpr const char* policy = "blocked by access policy";
constexpr const char* no_consent = "consent or permission is missing";
constexpr const char* grant_refused = "sign-in is no longer valid";
constexpr const char* short_session = "sign-in expired";
constexpr const char* no_app = "app is unknown in the tenant";
constexpr const char* bad_scope = "scope refused";
constexpr const char* app_off = "app is disabled";
constexpr const char* no_match = "federated sign-in refused";
constexpr const char* on_premises = "on-premises sign-in agent failed";
constexpr const char* passing = "sign-in service is busy";
constexpr const char* bad_parameter = "token request refused";
constexpr const char* admin_consent = "administrator consent is missing";
constexpr const char* device_code = "sign-in code is wrong or expired";

constexpr CodeRow code_rows[] = {
    {16000, hold, no_session, "", login},
    {50058, hold, no_session, "", login},
    {50132, hold, no_session, "", login},
    {50133, hold, no_session, "", login},
    {50001, hold, no_resource, "", "check scope and cloud; consent once in that tenant"},
    {500011, hold, no_resource, "", "check scope and cloud; consent once in that tenant"},
    {50011, hold, bad_redirect, "", fix_redirect},
    {90038, hold, "app belongs to another cloud", "", "check cloud of {account}"},
    {50012, hold, bad_assertion, "", fix_certificate},
    {50013, hold, bad_assertion, "", fix_certificate},
    {700024, hold, bad_assertion, "time", "set the clock of this host, then try again"},
    {700027, hold, bad_assertion, "key", "upload the certificate that belongs to the key"},
    {7000274, hold, bad_assertion, "key", "upload the certificate that belongs to the key"},
    {700030, hold, bad_assertion, "certificate", "use a valid certificate, and upload it"},
    {50020, hold, wrong_tenant, "", "check tenant, or the app's supported account types"},
    {500208, hold, wrong_tenant, "", "check tenant, or the app's supported account types"},
    {9002332, hold, wrong_tenant, "", "check tenant, or the app's supported account types"},
    {50194, hold, wrong_tenant, "", "set tenant to the app's own tenant"},
    {50034, hold, "user is unknown in the tenant", "", "check user and tenant of {account}"},
    {50053, hold, "account is locked", "", "wait or have it unlocked, then reset the password"},
    {50055, hold, password_expired, "",
     "change the password, then run: mailbearer login {account}"},
    {50144, hold, password_expired, "",
     "change the password, then run: mailbearer login {account}"},
    {50056, hold, wrong_password, "", login},
    {50126, hold, wrong_password, "", login},
    {50057, hold, "user is disabled", "", "have the user enabled"},
    {50059, hold, no_tenant, "", fix_tenant},
    {50128, hold, no_tenant, "", fix_tenant},
    {90002, hold, no_tenant, "", fix_tenant},
    {90019, hold, no_tenant, "", fix_tenant},
    {50072, hold, needs_mfa, "not enrolled", login},
    {50074, hold, needs_mfa, "", login},
    {50076, hold, needs_mfa, "", login},
    {50079, hold, needs_mfa, "not enrolled", login},
    {50078, hold, needs_mfa, "too old", login},
    {50089, hold, "sign-in took too long", "", login},
    {50097, hold, policy, "device", ask_exception},
    {50129, hold, policy, "device", ask_exception},
    {50131, hold, policy, "", ask_exception},
    {53000, hold, policy, "device", ask_exception},
    {53001, hold, policy, "device", ask_exception},
    {53002, hold, policy, "app", ask_exception},
    {53003, hold, policy, "", ask_exception},
    {530032, hold, policy, "", ask_exception},
    {530035, hold, policy, "", ask_exception},
    {530003, hold, policy, "device", ask_exception},
    {50105, hold, "user is not assigned to the app", "",
     "assign the user under Enterprise applications"},
    {50158, hold, "another sign-in step is needed", "", login},
    {50173, hold, "sign-in revoked", "password changed", login},
    {50196, temporary, "too many token requests", "", "wait some minutes, then try again"},
    {53011, hold, "user is blocked as a risk", "", "have an administrator unblock the user"},
    {54005, hold, "sign-in code was used before", "", login},
    {65001, hold, no_consent, "", ask_consent},
    {65004, hold, "consent was declined", "", ask_consent},
    {65005, hold, no_consent, "", "add the permission to the app registration, then consent"},
    {650052, hold, no_consent, "", "add the permission to the app registration, then consent"},
    {650056, hold, no_consent, "", "add the permission to the app registration, then consent"},
    {650057, hold, no_consent, "", "add the permission to the app registration, then consent"},
    {70000, hold, grant_refused, "", again},
    {70002, hold, "credentials refused", "", again},
    {70003, hold, "app may not use this grant", "", "allow the grant in the app registration"},
    {70008, hold, short_session, "unused for too long", login},
    {700082, hold, short_session, "unused for 90 days", login},
    {700084, hold, short_session, "24 h of a web app", fix_redirect},
    {70043, hold, short_session, "access policy", login},
    {700016, hold, no_app, "", fix_client},
    {70001, hold, no_app, "", fix_client},
    {70011, hold, bad_scope, "", fix_scope},
    {28000, hold, bad_scope, "several resources", fix_scope},
    {700022, hold, bad_scope, "several resources", fix_scope},
    {70012, temporary, passing, "", wait},
    {70016, temporary, "sign-in is not finished yet", "", wait},
    {70018, hold, device_code, "", login},
    {70019, hold, device_code, "", login},
    {70020, hold, device_code, "", login},
    {7000112, hold, app_off, "", enable_app},
    {7000114, hold, app_off, "", enable_app},
    {7000116, hold, app_off, "", enable_app},
    {7000215, hold, "client secret is wrong", "",
     "set the secret's value, not its id: mailbearer secret set {account} client-secret"},
    {7000218, hold, "client secret is missing", "",
     "allow public client flows in the app, or run: mailbearer secret set {account} client-secret"},
    {7000222, hold, "client secret expired", "", new_secret},
    {700025, hold, "app takes no client secret", "",
     "run: mailbearer secret clear {account} client-secret"},
    {700211, hold, no_match, "issuer", fix_federation},
    {700212, hold, no_match, "audience", fix_federation},
    {700213, hold, no_match, "subject", fix_federation},
    {7002138, hold, no_match, "", fix_federation},
    {700229, hold, no_match, "", fix_federation},
    {70021, hold, no_match, "", fix_federation},
    {90006, temporary, passing, "", wait},
    {90012, temporary, passing, "", wait},
    {90024, temporary, passing, "", wait},
    {90033, temporary, passing, "", wait},
    {90055, temporary, passing, "throttled", wait},
    {90090, temporary, passing, "", wait},
    {90091, temporary, passing, "", wait},
    {50033, temporary, passing, "", wait},
    {50087, temporary, passing, "", wait},
    {50088, temporary, passing, "", wait},
    {501621, temporary, passing, "", wait},
    {90009, hold, "app asks a token for itself", "", fix_scope},
    {90014, hold, bad_parameter, "field missing", fix_request},
    {900144, hold, bad_parameter, "field missing", fix_request},
    {90023, hold, bad_parameter, "", fix_request},
    {9002313, hold, bad_parameter, "", fix_request},
    {901002, hold, bad_parameter, "resource", "set scope instead of resource for {account}"},
    {90072, hold, "account is not in this tenant", "", fix_tenant},
    {90130, hold, "app may not use this endpoint", "", "check token_endpoint of {account}"},
    {90094, hold, admin_consent, "", "have an administrator grant consent for the app"},
    {90095, hold, admin_consent, "", "have an administrator grant consent for the app"},
    {9001023, hold, "grant = app needs one tenant", "", "set tenant to the app's own tenant"},
};

// On-premises pass-through authentication: one row for the range.
constexpr long first_on_premises = 80001;
constexpr long last_on_premises = 80014;

const ErrorRow* error_row(std::string_view error) {
  const auto* found = std::find_if(error_rows.begin(), error_rows.end(),
                                   [error](const ErrorRow& row) { return error == row.error; });
  return found == error_rows.end() ? nullptr : found;
}

// The first number that the table knows: Microsoft puts the most exact one first.
const CodeRow* code_row(const std::vector<long>& codes) {
  static constexpr CodeRow agent = {0, temporary, on_premises, "", wait};
  for (const long code : codes) {
    if (code >= first_on_premises && code <= last_on_premises) return &agent;
    const auto* found = std::find_if(std::begin(code_rows), std::end(code_rows),
                                     [code](const CodeRow& row) { return row.code == code; });
    if (found != std::end(code_rows)) return found;
  }
  return nullptr;
}

std::string filled(std::string_view cure, const TokenAnswerFacts& facts) {
  if (cure.empty()) cure = facts.grant == "app" ? new_secret : login;
  constexpr std::string_view place = "{account}";
  std::string text(cure);
  const std::size_t at = text.find(place);
  if (at != std::string::npos) text.replace(at, place.size(), facts.account);
  return text;
}

Error with_facts(Error error, FaultClass kind, const TokenAnswerFacts& facts) {
  error.kind = kind;
  if (error.cure == wait && facts.retry_after_s > 0) {
    error.cure += " after " + std::to_string(facts.retry_after_s) + " s";
  }
  error.account = std::string(facts.account);
  error.retry_after_s = facts.retry_after_s;
  return error;
}

Fault fault_of(FaultClass kind) {
  return kind == hold ? Fault::sign_in_needed : Fault::unavailable;
}

// 429 and 5xx are temporary whatever else is said.
bool service_down(int status) {
  return status == 429 || status >= 500;
}

FaultClass kind_of_answer(const TokenAnswerFacts& facts, const ErrorRow* by_error,
                          const CodeRow* by_code) {
  if (service_down(facts.http_status)) return temporary;
  if (by_error != nullptr) return by_error->kind;
  if (by_code != nullptr) return by_code->kind;
  // An error word of a server that we do not know: the request will not get better by itself. No
  // word at all: something other than a token endpoint answered.
  return facts.error.empty() ? temporary : hold;
}

Error judged_by_code(const CodeRow& row, FaultClass kind, const TokenAnswerFacts& facts) {
  std::string number = "AADSTS" + std::to_string(row.code != 0 ? row.code : facts.codes.front());
  if (*row.detail != '\0') number += std::string(", ") + row.detail;
  return failure(fault_of(kind), std::string(row.cause) + " (" + number + ")",
                 filled(row.cure, facts));
}

Error judged_by_status(FaultClass kind, const TokenAnswerFacts& facts) {
  if (facts.http_status == 429) {
    return failure(fault_of(kind), "sign-in service asks for fewer requests (429)", wait);
  }
  const std::string status = "token endpoint answered " + std::to_string(facts.http_status);
  if (service_down(facts.http_status)) return failure(fault_of(kind), status, wait);
  return failure(fault_of(kind), status, filled("check token_endpoint of {account}", facts));
}

Error judged_by_error(const ErrorRow* row, FaultClass kind, const TokenAnswerFacts& facts) {
  if (row != nullptr) {
    return failure(fault_of(kind), std::string(row->cause) + " (" + row->error + ")",
                   filled(row->cure, facts));
  }
  return failure(fault_of(kind), "token request refused (" + clean(facts.error, 24) + ")",
                 filled(doctor, facts));
}

}  // namespace

Error judge_token_answer(const TokenAnswerFacts& facts) {
  const ErrorRow* by_error = error_row(facts.error);
  const CodeRow* by_code = code_row(facts.codes);
  const FaultClass kind = kind_of_answer(facts, by_error, by_code);
  // A busy service with a hold word in its answer: the status decides, so its words do, too.
  const bool status_decides = service_down(facts.http_status);
  if (by_code != nullptr && !(status_decides && by_code->kind == hold)) {
    return with_facts(judged_by_code(*by_code, kind, facts), kind, facts);
  }
  const bool error_speaks =
      !facts.error.empty() && !(status_decides && (by_error == nullptr || by_error->kind == hold));
  Error error =
      error_speaks ? judged_by_error(by_error, kind, facts) : judged_by_status(kind, facts);
  // The table has no words for the number: then the server's own are worth showing.
  error.said = clean(facts.description, 300);
  return with_facts(std::move(error), kind, facts);
}

}  // namespace base
