// admin_request: texts for those who have to act before a sign-in can succeed: the person who
// registers the application, and the organisation's administrator who consents. Pure; filled in as
// far as the account is known. Source: facts (providers) 1.2, 1.3, 3.7; Microsoft's "Authenticate
// an IMAP, POP or SMTP connection using OAuth", "SMTP AUTH with RBAC for Applications", "Role based
// access control for applications in Exchange Online".
#pragma once

#include <string>

#include "account/account.h"

namespace verb {

// What the administrator of a Microsoft 365 tenant has to do for this account, with PowerShell: a
// text to be sent on. For a signed-in person consent; for an application its right to the mailbox.
std::string admin_request(const account::Account& account);

// How to get a client id for it: the command of Azure's command line, and the same in the portal;
// for Google its console.
std::string how_to_register(const account::Account& account);

}  // namespace verb
