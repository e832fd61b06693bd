// manual_text: the pages docs/setup-NAME.md, which the project's documentation and `mailbearer help
// setup` share: read at run time, in docs/ of the build tree, else installed. Errors: Fault::usage
// for a page that is not there, naming those that are.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace verb {

std::vector<std::string> setup_pages();
base::Result<std::string> setup_page(const std::string& name);

}  // namespace verb
