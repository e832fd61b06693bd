// detour: whether a message that this account did not send may go another way. Source: design
// sections 3 and 6; docs/decisions/0017. Pure.
#pragma once

#include <vector>

#include "base/fate.h"

namespace transport {

// none: it went, or may have gone, or is refused, or repeating may cure it. Otherwise nothing was
// handed over to anybody, since this way cannot carry the message (as the fates say), or since the
// account needs a person (exit code 78): by its fallback.
base::Fate::Detour detour_of(const std::vector<base::Fate>& fates);

}  // namespace transport
