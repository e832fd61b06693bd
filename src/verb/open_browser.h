// open_browser: the person's browser, at an address: $BROWSER (a list, each a command in which %s
// is the address), else xdg-open. No shell. As root only where $BROWSER names one: a browser of
// root's is nobody's wish. The address holds no secret that a sign-in stands on: the code comes
// back bound to a verifier that never leaves us. Errors: Fault::unavailable: none can be started.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/environment.h"

namespace verb {

bool may_start_browser(const cli::Desk& desk);
base::Done open_browser(const cli::Desk& desk, const std::string& url);

// The argument vectors to try, in order; pure.
std::vector<std::vector<std::string>> browser_commands(const std::string& browser,
                                                       const std::string& url);

}  // namespace verb
