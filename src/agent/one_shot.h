// one_shot: the agent of one caller: one session on standard input, no daemon, no spool. Started by
// sendmail over a socket pair. Source: design section 2 (`--once`).
#pragma once

#include "agent/surroundings.h"

namespace agent {

int serve_once(const Surroundings& around);

}  // namespace agent
