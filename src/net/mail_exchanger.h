// mail_exchanger: who takes a domain's mail, by DNS: the only place that asks for MX records, and
// the only one that knows libresolv. Source: RFC 1035 3.3.9, RFC 5321 5.1, RFC 7505. For a guess of
// the provider and nothing else: an answer is not authentic, and nothing is sent to whom it names.
// Limits: 5 s in all, 64 KiB an answer, 32 hosts. Errors: Fault::unavailable (no answer, no such
// domain). Trusts: nothing; a name with other bytes than letters, digits, dots and hyphens is left
// out.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace net {

// Lower case, without the last dot, the preferred one first. None: the domain takes no mail by MX.
base::Result<std::vector<std::string>> mail_exchangers(const std::string& domain);

}  // namespace net
