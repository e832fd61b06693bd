#include "sandbox/web.h"

#include "base/text.h"

namespace sandbox {}  // namespace sandbox
