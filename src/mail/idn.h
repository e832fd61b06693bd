// idn: A-labels of a domain name (RFC 5891, by libidn2), so that SMTPUTF8 is asked for only when a
// local part needs it.
#pragma once

#include <string>

#include "base/result.h"

namespace mail {
base::Result<std::string> to_a_labels(
    const std::string& domain);  // ASCII comes back lower-cased as it is
}
