// The rows of token endpoints. The class follows the HTTP status where that outweighs everything,
// then the word `error` (RFC 6749 5.2, OpenID Connect Core 3.1.2.6, RFC 8628 3.5, Microsoft's own),
// then Microsoft's number: Microsoft says that numbers and texts may change. The words follow the
// number first. Comments name the section of facts/providers.md.
#include "base/replies_row.h"

namespace base {

namespace {

constexpr Fault later = Fault::unavailable;
constexpr Fault sign_in = Fault::sign_in_needed;
constexpr FaultClass soon = FaultClass::temporary;
constexpr FaultClass person = FaultClass::hold;
constexpr unsigned anyone = at_token | at_machine | at_service;

// {sign_in}: who signs in needs another cure: a person, an app, anything else.
constexpr const char* anew = "{sign_in}";
constexpr const char* new_secret = "run: mailbearer secret set {account} client-secret";
constexpr const char* check_endpoint = "check token_endpoint of {account}";
constexpr const char* fix_tenant = "check tenant of {account}";
constexpr const char* fix_client = "check client_id and tenant of {account}";
constexpr const char* fix_scope = "check scope of {account}";
constexpr const char* fix_request = "check the account's keys; run: mailbearer doctor {account}";
constexpr const char* fix_certificate = "check clock, certificate and key of {account}";
constexpr const char* fix_federation =
    "compare issuer, subject and audience of the credential, case counts; new ones need minutes";
constexpr const char* fix_redirect =
    "add http://localhost under Mobile and desktop applications of the app";
constexpr const char* fix_type = "check tenant, or the app's supported account types";
constexpr const char* own_tenant = "set tenant to the app's own tenant";
constexpr const char* fix_cloud = "check scope and cloud; consent once in that tenant";
constexpr const char* change_password = "change the password, then run: mailbearer login {account}";
constexpr const char* ask_consent =
    "grant consent for the app, then run: mailbearer login {account}";
constexpr const char* add_permission = "add the permission to the app registration, then consent";
constexpr const char* ask_exception =
    "exclude app or account from the policy, use a named location, or grant = app";
constexpr const char* enable_app = "enable the app under Enterprise applications";
constexpr const char* matching_key = "upload the certificate that belongs to the key";
constexpr const char* admin_consents = "have an administrator grant consent for the app";

constexpr const char* why_busy = "A passing trouble of the sign-in service, or its limit.";
constexpr const char* why_slow = "Too many requests; Retry-After, where given, is obeyed.";
constexpr const char* why_pending = "Device sign-in: the person has not answered yet.";
constexpr const char* why_dead =
    "The refresh token or code is dead: unused for too long, revoked, or the password changed.";
constexpr const char* why_person =
    "The sign-in service wants to see the person: second factor, consent or policy.";
constexpr const char* why_client =
    "Secret, certificate or app registration do not fit what the service knows.";
constexpr const char* why_config = "The account's keys do not fit the service.";
constexpr const char* why_declined = "The person, or an administrator, said no.";
constexpr const char* why_device = "The device code was mistyped, or is over 15 minutes old.";
constexpr const char* why_session = "The session behind the token has ended.";
constexpr const char* why_resource =
    "The service of the scope has no service principal in the tenant: wrong scope or cloud.";
constexpr const char* why_redirect =
    "The redirect address of the sign-in must be registered, as a desktop app's.";
constexpr const char* why_assertion =
    "The signed assertion of a certificate: its time, key or certificate is wrong.";
constexpr const char* why_tenant_type =
    "The kind of account (work, personal) or the tenant does not fit the app registration.";
constexpr const char* why_user = "There is no such user in this tenant.";
constexpr const char* why_locked = "Too many wrong sign-ins, or from a suspicious address.";
constexpr const char* why_password = "The password must be changed first.";
constexpr const char* why_wrong = "User name or password is wrong.";
constexpr const char* why_disabled = "An administrator has disabled the user.";
constexpr const char* why_tenant = "The tenant is missing in the request, or not known.";
constexpr const char* why_factor =
    "The tenant wants a second factor: one interactive sign-in, or an app of its own "
    "(grant = app).";
constexpr const char* why_policy =
    "Conditional Access, a device rule or security defaults forbid this sign-in. Device code "
    "sign-in is often forbidden; loopback, paste and grant = app are other ways.";
constexpr const char* why_assigned = "The Enterprise application is for assigned users only.";
constexpr const char* why_loop =
    "The same token was asked for again and again. Mailbearer keeps tokens; another program with "
    "the same app may not.";
constexpr const char* why_risk = "The tenant's risk policy has blocked the user.";
constexpr const char* why_used = "A code can be redeemed once.";
constexpr const char* why_consent =
    "The permission is missing in the app registration, or nobody consented to it.";
constexpr const char* why_grant = "The grant is invalid, or the app may not use its type.";
constexpr const char* why_unused =
    "The refresh token was not used for 90 days, or its session has ended.";
constexpr const char* why_short =
    "The token was for a web page (24 hours), or a policy asks for frequent sign-ins: register "
    "http://localhost as a desktop app's.";
constexpr const char* why_app = "The app registration is not in this tenant.";
constexpr const char* why_scope = "The scope is unknown, or names several services at once.";
constexpr const char* why_app_off =
    "The Enterprise application is disabled, in the tenant or by Microsoft.";
constexpr const char* why_secret =
    "Often the secret's id was stored; the value is what counts, and is shown only once.";
constexpr const char* why_public =
    "The app counts as confidential: it needs a secret, or `Allow public client flows`.";
constexpr const char* why_expired = "Client secrets live 24 months at most.";
constexpr const char* why_no_secret = "The app is a public client, which must not send a secret.";
constexpr const char* why_federated =
    "Issuer, subject or audience of the external token match no federated credential of the app. "
    "A new one needs some minutes.";
constexpr const char* why_agent =
    "Pass-through authentication: the tenant's own agent or its Active Directory failed.";
constexpr const char* why_itself = "The resource of the request is the app itself.";
constexpr const char* why_parameter = "A field of the request is missing or malformed.";
constexpr const char* why_admin = "This permission needs an administrator's consent.";
constexpr const char* why_common =
    "An app signs in to one tenant; common, organizations and consumers are none.";
constexpr const char* why_machine =
    "The identity endpoint of the machine: it is asked again while it starts or is busy.";

// 1.8, 1.7 (429 and 5xx whatever else is said) and 1.6 (managed identity).
constexpr ReplyRow status_rows[] = {
    {429, "", "", anyone, later, soon, "sign-in service asks for fewer requests (429)", cure_again,
     0, why_slow},
    {404, "", "", at_machine, later, soon, "identity endpoint is not ready (404)", cure_again, 0,
     why_machine},
    {410, "", "", at_machine, later, soon, "identity endpoint is being renewed (410)",
     "try again after 70 s", 70, "The endpoint is gone for up to 70 seconds during an update."},
    {5, "", "", anyone, later, soon, "token endpoint answered {status}", cure_again, 0, why_busy},
};

constexpr ReplyRow error_rows[] = {
    // 1.6, 4.1: words that mean something else to whoever asks this way.
    {400, "", "identity not found", at_machine, sign_in, person,
     "no managed identity is assigned to this host", "assign one to the machine, or fix client_id",
     0, "The machine has no identity of its own, or not the one that was asked for."},
    {401, "", "", at_machine, sign_in, person, "identity endpoint refuses this process (401)",
     "add its user to the group himds", 0, "Azure Arc lets root and the group himds ask."},
    {403, "", "", at_machine, sign_in, person, "identity endpoint refuses this process (403)",
     "add its user to the group himds", 0, "Azure Arc lets root and the group himds ask."},
    {0, "unauthorized_client", "", at_service, sign_in, person,
     "service account may not act for this user ({code})",
     "delegate its client id and the scope in the Admin console", 0,
     "Google: domain-wide delegation is missing. Workspace only."},
    {0, "invalid_grant", "expired or revoked", anyone, sign_in, person,
     "sign-in expired or revoked ({code})", anew, 0,
     "Google: after 7 days while the consent screen is in Testing, after 6 months unused, after a "
     "new password, or revoked."},
    // 1.8.
    {0, "temporarily_unavailable", "", anyone, later, soon, "sign-in service is busy ({code})",
     cure_again, 0, why_busy},
    {0, "server_error", "", anyone, later, soon, "sign-in service has a fault ({code})", cure_again,
     0, why_busy},
    {0, "authorization_pending", "", anyone, later, soon, "sign-in is not finished yet ({code})",
     cure_again, 0, why_pending},
    {0, "slow_down", "", anyone, later, soon, "sign-in service asks for fewer requests ({code})",
     cure_again, 0, why_slow},
    {0, "invalid_grant", "", anyone, sign_in, person, "sign-in expired or revoked ({code})", anew,
     0, why_dead},
    {0, "interaction_required", "", anyone, sign_in, person, "sign-in needs a person ({code})",
     cure_login, 0, why_person},
    {0, "login_required", "", anyone, sign_in, person, "sign-in needs a person ({code})",
     cure_login, 0, why_person},
    {0, "consent_required", "", anyone, sign_in, person, "consent is missing ({code})", cure_login,
     0, why_person},
    {0, "invalid_client", "", anyone, sign_in, person, "client id or secret refused ({code})",
     new_secret, 0, why_client},
    {0, "unauthorized_client", "", anyone, sign_in, person, "app may not use this grant ({code})",
     "check client_id, grant and the app registration of {account}", 0, why_client},
    {0, "invalid_scope", "", anyone, sign_in, person, "scope refused ({code})", fix_scope, 0,
     why_scope},
    {0, "invalid_resource", "", anyone, sign_in, person, "resource refused ({code})",
     "check scope and resource of {account}", 0, why_resource},
    {0, "invalid_request", "", anyone, sign_in, person, "token request refused ({code})",
     cure_doctor, 0, why_config},
    {0, "unsupported_grant_type", "", anyone, sign_in, person,
     "grant is not supported by the server ({code})", "check grant and token_endpoint of {account}",
     0, why_config},
    {0, "access_denied", "", anyone, sign_in, person, "sign-in was denied ({code})", cure_login, 0,
     why_declined},
    {0, "authorization_declined", "", anyone, sign_in, person, "sign-in was declined ({code})",
     cure_login, 0, why_declined},
    // 1.4.
    {0, "expired_token", "", anyone, sign_in, person, "sign-in code expired ({code})", cure_login,
     0, why_device},
    {0, "bad_verification_code", "", anyone, sign_in, person, "sign-in code is wrong ({code})",
     cure_login, 0, why_device},
};

constexpr ReplyRow held(const char* word, const char* cause, const char* cure, const char* why) {
  return {0, word, "", anyone, sign_in, person, cause, cure, 0, why};
}
constexpr ReplyRow passing_by(const char* word, const char* cause, const char* why) {
  return {0, word, "", anyone, later, soon, cause, cure_again, 0, why};
}

constexpr const char* no_session = "sign-in session is gone ({code})";
constexpr const char* no_resource = "resource is unknown in the tenant ({code})";
constexpr const char* bad_redirect = "redirect address is not registered ({code})";
constexpr const char* bad_assertion = "signed assertion refused ({code})";
constexpr const char* key_refused = "signed assertion refused ({code}, key)";
constexpr const char* wrong_tenant = "account type does not fit the app ({code})";
constexpr const char* no_tenant = "tenant is missing or unknown ({code})";
constexpr const char* password_expired = "password expired ({code})";
constexpr const char* wrong_password = "user name or password is wrong ({code})";
constexpr const char* needs_mfa = "second factor needed ({code})";
constexpr const char* not_enrolled = "second factor needed ({code}, not enrolled)";
constexpr const char* policy = "blocked by access policy ({code})";
constexpr const char* device_policy = "blocked by access policy ({code}, device)";
constexpr const char* no_consent = "consent or permission is missing ({code})";
constexpr const char* no_app = "app is unknown in the tenant ({code})";
constexpr const char* bad_scope = "scope refused ({code})";
constexpr const char* two_services = "scope refused ({code}, several resources)";
constexpr const char* app_off = "app is disabled ({code})";
constexpr const char* no_match = "federated sign-in refused ({code})";
constexpr const char* passing = "sign-in service is busy ({code})";
constexpr const char* bad_parameter = "token request refused ({code})";
constexpr const char* field_missing = "token request refused ({code}, field missing)";
constexpr const char* admin_consent = "administrator consent is missing ({code})";
constexpr const char* device_code = "sign-in code is wrong or expired ({code})";

// 1.9, from reference-error-codes of entra-docs.
constexpr ReplyRow number_rows[] = {
    held("AADSTS16000", no_session, cure_login, why_session),
    held("AADSTS50058", no_session, cure_login, why_session),
    held("AADSTS50132", no_session, cure_login, why_session),
    held("AADSTS50133", no_session, cure_login, why_session),
    held("AADSTS50001", no_resource, fix_cloud, why_resource),
    held("AADSTS500011", no_resource, fix_cloud, why_resource),
    held("AADSTS50011", bad_redirect, fix_redirect, why_redirect),
    held("AADSTS90038", "app belongs to another cloud ({code})", "check cloud of {account}",
         why_redirect),
    held("AADSTS50012", bad_assertion, fix_certificate, why_assertion),
    held("AADSTS50013", bad_assertion, fix_certificate, why_assertion),
    held("AADSTS700024", "signed assertion refused ({code}, time)",
         "set the clock of this host, then try again", why_assertion),
    held("AADSTS700027", key_refused, matching_key, why_assertion),
    held("AADSTS7000274", key_refused, matching_key, why_assertion),
    held("AADSTS700030", "signed assertion refused ({code}, certificate)",
         "use a valid certificate, and upload it", why_assertion),
    held("AADSTS50020", wrong_tenant, fix_type, why_tenant_type),
    held("AADSTS500208", wrong_tenant, fix_type, why_tenant_type),
    held("AADSTS9002332", wrong_tenant, fix_type, why_tenant_type),
    held("AADSTS50194", wrong_tenant, own_tenant, why_tenant_type),
    held("AADSTS50034", "user is unknown in the tenant ({code})",
         "check user and tenant of {account}", why_user),
    held("AADSTS50053", "account is locked ({code})",
         "wait or have it unlocked, then reset the password", why_locked),
    held("AADSTS50055", password_expired, change_password, why_password),
    held("AADSTS50144", password_expired, change_password, why_password),
    held("AADSTS50056", wrong_password, cure_login, why_wrong),
    held("AADSTS50126", wrong_password, cure_login, why_wrong),
    held("AADSTS50057", "user is disabled ({code})", "have the user enabled", why_disabled),
    held("AADSTS50059", no_tenant, fix_tenant, why_tenant),
    held("AADSTS50128", no_tenant, fix_tenant, why_tenant),
    held("AADSTS90002", no_tenant, fix_tenant, why_tenant),
    held("AADSTS90019", no_tenant, fix_tenant, why_tenant),
    held("AADSTS50072", not_enrolled, cure_login, why_factor),
    held("AADSTS50074", needs_mfa, cure_login, why_factor),
    held("AADSTS50076", needs_mfa, cure_login, why_factor),
    held("AADSTS50079", not_enrolled, cure_login, why_factor),
    held("AADSTS50078", "second factor needed ({code}, too old)", cure_login, why_factor),
    held("AADSTS50089", "sign-in took too long ({code})", cure_login, why_session),
    held("AADSTS50097", device_policy, ask_exception, why_policy),
    held("AADSTS50129", device_policy, ask_exception, why_policy),
    held("AADSTS50131", policy, ask_exception, why_policy),
    held("AADSTS53000", device_policy, ask_exception, why_policy),
    held("AADSTS53001", device_policy, ask_exception, why_policy),
    held("AADSTS53002", "blocked by access policy ({code}, app)", ask_exception, why_policy),
    held("AADSTS53003", policy, ask_exception, why_policy),
    held("AADSTS530032", policy, ask_exception, why_policy),
    held("AADSTS530035", policy, ask_exception, why_policy),
    held("AADSTS530003", device_policy, ask_exception, why_policy),
    held("AADSTS50105", "user is not assigned to the app ({code})",
         "assign the user under Enterprise applications", why_assigned),
    held("AADSTS50158", "another sign-in step is needed ({code})", cure_login, why_person),
    held("AADSTS50173", "sign-in revoked ({code}, password changed)", cure_login, why_dead),
    {0, "AADSTS50196", "", anyone, later, soon, "too many token requests ({code})",
     "wait some minutes, then try again", 300, why_loop},
    held("AADSTS53011", "user is blocked as a risk ({code})",
         "have an administrator unblock the user", why_risk),
    held("AADSTS54005", "sign-in code was used before ({code})", cure_login, why_used),
    held("AADSTS65001", no_consent, ask_consent, why_consent),
    held("AADSTS65004", "consent was declined ({code})", ask_consent, why_declined),
    held("AADSTS65005", no_consent, add_permission, why_consent),
    held("AADSTS650052", no_consent, add_permission, why_consent),
    held("AADSTS650056", no_consent, add_permission, why_consent),
    held("AADSTS650057", no_consent, add_permission, why_consent),
    held("AADSTS70000", "sign-in is no longer valid ({code})", anew, why_grant),
    held("AADSTS70002", "credentials refused ({code})", anew, why_grant),
    held("AADSTS70003", "app may not use this grant ({code})",
         "allow the grant in the app registration", why_grant),
    held("AADSTS70008", "sign-in expired ({code}, unused for too long)", cure_login, why_unused),
    held("AADSTS700082", "sign-in expired ({code}, unused for 90 days)", cure_login, why_unused),
    held("AADSTS700084", "sign-in expired ({code}, 24 h of a web app)", fix_redirect, why_short),
    held("AADSTS70043", "sign-in expired ({code}, access policy)", cure_login, why_short),
    held("AADSTS700016", no_app, fix_client, why_app),
    held("AADSTS70001", no_app, fix_client, why_app),
    held("AADSTS70011", bad_scope, fix_scope, why_scope),
    held("AADSTS28000", two_services, fix_scope, why_scope),
    held("AADSTS700022", two_services, fix_scope, why_scope),
    passing_by("AADSTS70012", passing, why_busy),
    passing_by("AADSTS70016", "sign-in is not finished yet ({code})", why_pending),
    held("AADSTS70018", device_code, cure_login, why_device),
    held("AADSTS70019", device_code, cure_login, why_device),
    held("AADSTS70020", device_code, cure_login, why_device),
    held("AADSTS7000112", app_off, enable_app, why_app_off),
    held("AADSTS7000114", app_off, enable_app, why_app_off),
    held("AADSTS7000116", app_off, enable_app, why_app_off),
    held("AADSTS7000215", "client secret is wrong ({code})",
         "set the secret's value, not its id: mailbearer secret set {account} client-secret",
         why_secret),
    held("AADSTS7000218", "client secret is missing ({code})",
         "allow public client flows in the app, or run: mailbearer secret set {account} "
         "client-secret",
         why_public),
    held("AADSTS7000222", "client secret expired ({code})", new_secret, why_expired),
    held("AADSTS700025", "app takes no client secret ({code})",
         "run: mailbearer secret clear {account} client-secret", why_no_secret),
    held("AADSTS700211", "federated sign-in refused ({code}, issuer)", fix_federation,
         why_federated),
    held("AADSTS700212", "federated sign-in refused ({code}, audience)", fix_federation,
         why_federated),
    held("AADSTS700213", "federated sign-in refused ({code}, subject)", fix_federation,
         why_federated),
    held("AADSTS7002138", no_match, fix_federation, why_federated),
    held("AADSTS700229", no_match, fix_federation, why_federated),
    held("AADSTS70021", no_match, fix_federation, why_federated),
    {0, "AADSTS80001-80014", "", anyone, later, soon, "on-premises sign-in agent failed ({code})",
     cure_again, 0, why_agent},
    passing_by("AADSTS90006", passing, why_busy),
    passing_by("AADSTS90012", passing, why_busy),
    passing_by("AADSTS90024", passing, why_busy),
    passing_by("AADSTS90033", passing, why_busy),
    passing_by("AADSTS90055", "sign-in service is busy ({code}, throttled)", why_busy),
    passing_by("AADSTS90090", passing, why_busy),
    passing_by("AADSTS90091", passing, why_busy),
    passing_by("AADSTS50033", passing, why_busy),
    passing_by("AADSTS50087", passing, why_busy),
    passing_by("AADSTS50088", passing, why_busy),
    passing_by("AADSTS501621", passing, why_busy),
    held("AADSTS90009", "app asks a token for itself ({code})", fix_scope, why_itself),
    held("AADSTS90014", field_missing, fix_request, why_parameter),
    held("AADSTS900144", field_missing, fix_request, why_parameter),
    held("AADSTS90023", bad_parameter, fix_request, why_parameter),
    held("AADSTS9002313", bad_parameter, fix_request, why_parameter),
    held("AADSTS901002", "token request refused ({code}, resource)",
         "set scope instead of resource for {account}", why_parameter),
    held("AADSTS90072", "account is not in this tenant ({code})", fix_tenant, why_user),
    held("AADSTS90130", "app may not use this endpoint ({code})", check_endpoint, why_tenant_type),
    held("AADSTS90094", admin_consent, admin_consents, why_admin),
    held("AADSTS90095", admin_consent, admin_consents, why_admin),
    held("AADSTS9001023", "grant = app needs one tenant ({code})", own_tenant, why_common),
};

// A word of a server that we do not know: the request will not get better by itself. No word at
// all: something other than a token endpoint answered (1.8: no JSON, try again); but what a
// machine's own endpoint refuses stays refused (1.6).
constexpr ReplyRow other_rows[] = {
    {0, "", "", at_machine, sign_in, person, "identity endpoint answered {status}", cure_doctor, 0,
     "Other 4xx of the identity endpoint do not pass by themselves."},
    {0, "", "", at_token | at_service, later, soon, "token endpoint answered {status}",
     check_endpoint, 0, "No token and no OAuth error: perhaps something else answered."},
    {0, "", "", anyone, sign_in, person, "token request refused ({code})", cure_doctor, 0,
     "An OAuth error that no row knows."},
};

}  // namespace

std::span<const ReplyRow> token_status_rows() {
  return status_rows;
}
std::span<const ReplyRow> token_error_rows() {
  return error_rows;
}
std::span<const ReplyRow> token_number_rows() {
  return number_rows;
}
std::span<const ReplyRow> token_other_rows() {
  return other_rows;
}

}  // namespace base
