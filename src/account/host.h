// host: the names of this machine that mail knows. Internal to the room. No DNS is asked: a name
// server that hangs must not hold up a message.
#pragma once

#include <string>
#include <vector>

#include "account/account.h"
#include "account/keys.h"

namespace account {

// The first line of /etc/mailname, if root or we alone may write it and it is a host name.
std::string mail_name();
std::string domain_of_user(const Account& account);
// localhost, the host name and its first label, lower case; never the account's own mail domain.
std::vector<std::string> host_domains(const Account& account);

}  // namespace account
