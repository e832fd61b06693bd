// idn: A-labels of a domain name (RFC 5891, UTS 46, by libidn2), so that SMTPUTF8 is asked for only
// when a local part needs it. The library is loaded with the first name that is not ASCII. Errors:
// Fault::bad_message (control bytes, bad labels), Fault::os (no library). Trusts: nothing.
#pragma once

#include <string>

#include "base/result.h"

namespace mail {
// ASCII comes back lower-cased as it is.
base::Result<std::string> to_a_labels(const std::string& domain);
}  // namespace mail
