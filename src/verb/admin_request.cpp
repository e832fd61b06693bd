#include "verb/admin_request.h"

#include "base/text.h"
#include "verb/families.h"

namespace verb {

namespace {

using account::Account;
using account::Grant;
using account::Transport;

// Permissions of Microsoft Graph for signed-in users ("Microsoft Graph permissions reference").
constexpr const char* graph_resource = "00000003-0000-0000-c000-000000000000";
constexpr const char* smtp_send = "258f6531-6087-4cc4-bb90-092c5fb3ed3f";
constexpr const char* mail_send = "e383f46e-2787-4529-855e-0e479a3ffac0";

std::string or_mark(const std::string& text, const char* mark) {
  return text.empty() ? mark : text;
}

std::string domain_of(const std::string& address) {
  const std::size_t at = address.rfind('@');
  return at == std::string::npos ? std::string() : address.substr(at + 1);
}

// The tenant in a consent address; one that names no organisation does not do there.
std::string tenant_of(const Account& account) {
  const bool any = account.tenant == "organizations" || account.tenant == "common" ||
                   account.tenant == "consumers" || account.tenant.empty();
  return any ? or_mark(domain_of(account.user), "TENANT") : account.tenant;
}

std::string client_of(const Account& account) {
  return or_mark(account.client_id, "APPLICATION-ID");
}

std::string consent_url(const Account& account) {
  return or_mark(sign_in_site(account), "https://login.microsoftonline.com") + "/" +
         tenant_of(account) +
         "/adminconsent?client_id=" + base::percent_encode(client_of(account)) +
         "&redirect_uri=" + base::percent_encode("http://localhost");
}

const char* role_of(const Account& account) {
  return account.transport == Transport::graph ? "Application Mail.Send"
                                               : "Application SMTP.SendAsApp";
}

std::string smtp_on(const Account& account) {
  if (account.transport != Transport::smtp) return {};
  return "\nSMTP sign-in must be on for the mailbox (OAuth, too, is refused where it is off):\n\n"
         "  Set-CASMailbox -Identity " +
         account.user + " -SmtpClientAuthenticationDisabled $false\n";
}

std::string for_person(const Account& account) {
  const bool graph = account.transport == Transport::graph;
  return "The program is a native application (public client). It asks for the delegated "
         "permission\n" +
         std::string(graph ? "Mail.Send of Microsoft Graph" : "SMTP.Send") +
         " and for offline_access, and can do nothing without the person who signs in.\n\n"
         "1. Open this as an administrator and accept; the page behind it fails to load, which is\n"
         "   right:\n\n  " +
         consent_url(account) +
         "\n\n2. In the application: Authentication, Mobile and desktop applications, redirect "
         "URI\n"
         "   http://localhost; Allow public client flows: Yes.\n" +
         smtp_on(account);
}

// The objects that an application needs in Exchange, whichever way it gets its right.
std::string service_principal(const Account& account) {
  const std::string client = client_of(account);
  return "  Connect-ExchangeOnline\n"
         "  $app = Get-MgServicePrincipal -Filter \"appId eq '" +
         client +
         "'\"\n"
         "  New-ServicePrincipal -AppId " +
         client + " -ObjectId $app.Id -DisplayName Mailbearer\n";
}

std::string scoped_role(const Account& account) {
  const std::string user = account.user;
  const std::string scope = "Mailbearer " + user;
  return "  New-ManagementScope -Name \"" + scope +
         "\" -RecipientRestrictionFilter \"PrimarySmtpAddress -eq '" + user +
         "'\"\n"
         "  New-ManagementRoleAssignment -App " +
         client_of(account) + " -Role \"" + role_of(account) + "\" -CustomResourceScope \"" +
         scope +
         "\"\n"
         "  Test-ServicePrincipalAuthorization -Identity " +
         client_of(account) + " -Resource " + user + "\n";
}

std::string older_way(const Account& account) {
  if (account.transport == Transport::graph) {
    return "The older way gives the application every mailbox of the organisation: API "
           "permissions,\n"
           "Microsoft Graph, application permission Mail.Send, admin consent. Such a grant adds to "
           "the\n"
           "role above and is not narrowed by it: take it away where it was given.\n";
  }
  return "The older way: API permissions, APIs my organisation uses, Office 365 Exchange Online,\n"
         "application permission SMTP.SendAsApp, admin consent:\n\n  " +
         consent_url(account) + "\n\nand then, in place of scope and role:\n\n" +
         "  Add-MailboxPermission -Identity " + account.user +
         " -User $app.Id -AccessRights FullAccess\n" + "  Add-RecipientPermission -Identity " +
         account.user + " -Trustee $app.Id -AccessRights SendAs -Confirm:$false\n\n" +
         "Do not give both: with the permission in its token the application is judged by mailbox\n"
         "permissions alone.\n";
}

std::string for_app(const Account& account) {
  return "The program signs in as an application, with a secret or certificate of its own. It "
         "needs no\n"
         "API permission and no consent: a role in Exchange, for this mailbox alone. In PowerShell "
         "with\n"
         "the modules ExchangeOnlineManagement and Microsoft.Graph.Applications:\n\n" +
         service_principal(account) + scoped_role(account) +
         "\nThe object id is that of the enterprise application, not of the app registration. "
         "Exchange\n"
         "takes from some minutes to two hours to heed the role.\n" +
         smtp_on(account) + "\n" + older_way(account);
}

std::string registering_person(const Account& account) {
  const char* permission = account.transport == Transport::graph ? mail_send : smtp_send;
  const bool personal = account.tenant == "consumers";
  return "  az ad app create --display-name Mailbearer --sign-in-audience " +
         std::string(personal ? "PersonalMicrosoftAccount" : "AzureADMyOrg") +
         " \\\n    --public-client-redirect-uris http://localhost --is-fallback-public-client true "
         "\\\n"
         "    --required-resource-accesses '[{\"resourceAppId\":\"" +
         graph_resource + "\",\"resourceAccess\":[{\"id\":\"" + permission +
         "\",\"type\":\"Scope\"}]}]' \\\n    --query appId --output tsv\n";
}

std::string registering_app() {
  return "  az ad app create --display-name Mailbearer --sign-in-audience AzureADMyOrg --query "
         "appId "
         "--output tsv\n"
         "  az ad sp create --id APPLICATION-ID\n"
         "  az ad app credential reset --id APPLICATION-ID --append --years 1 --query password "
         "--output tsv\n";
}

std::string microsoft_registration(const Account& account) {
  const bool app = account.grant == Grant::app || account.grant == Grant::federated;
  std::string out =
      "Mailbearer ships no application id: register one, once for the organisation. With Azure's\n"
      "command line (it prints the id" +
      std::string(app ? ", and then the secret" : "") + "):\n\n" +
      (app ? registering_app() : registering_person(account)) +
      "\nOr in the portal, https://entra.microsoft.com: App registrations, New registration;\n";
  if (app) {
    out +=
        "name Mailbearer, accounts in this organisation only, no redirect URI; Certificates &\n"
        "secrets, New client secret: its value (not its id) is what you need.\n";
  } else {
    out +=
        "name Mailbearer; redirect URI: Public client/native, http://localhost; then\n"
        "Authentication: Allow public client flows: Yes; API permissions: Microsoft Graph,\n"
        "Delegated, " +
        std::string(account.transport == Transport::graph ? "Mail.Send" : "SMTP.Send") + ".\n";
  }
  return out;
}

constexpr const char* google_registration =
    "Google: register a desktop application of your own, at https://console.cloud.google.com:\n"
    "Google Auth Platform, Branding; Audience (Internal in Workspace; else External: while it is "
    "in\n"
    "Testing, every sign-in ends after 7 days, so publish it); Clients, Create client: Desktop "
    "app.\n"
    "Its id is the client id, and it has a secret, which is asked for here.\n"
    "Or take an app password instead, where two-step verification is on\n"
    "(https://myaccount.google.com/apppasswords): mailbearer login --app-password\n";

}  // namespace

std::string admin_request(const Account& account) {
  const bool app = account.grant != Grant::user;
  return "Mailbearer sends mail as " + or_mark(account.user, "ADDRESS") +
         " by OAuth 2.0 and needs your consent.\n\n"
         "Application id: " +
         client_of(account) + "\nOrganisation:   " + tenant_of(account) + "\n\n" +
         (app ? for_app(account) : for_person(account));
}

std::string how_to_register(const Account& account) {
  switch (family_of(account)) {
    case Family::microsoft:
      return microsoft_registration(account);
    case Family::google:
      return google_registration;
    case Family::other:
      break;
  }
  return "Register an application with the provider, as a public client with the redirect URI\n"
         "http://localhost, and name its id: --client-id ID\n";
}

}  // namespace verb
