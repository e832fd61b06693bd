// tell: the sentence for a person. Source: design section 2:
//   not sent (ACCOUNT): CAUSE; CURE [server: "REPLY"]
// One line, no secret, control bytes escaped; the caller adds "sendmail: " and the line end.
#pragma once

#include <string>

#include "base/error.h"

namespace report {

std::string tell(const base::Error& error);

}  // namespace report
