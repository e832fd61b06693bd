// console: how the person's commands speak: results on standard output, complaints on standard
// error, as one line with cause and cure. The answer is the exit code of design section 2. Owns
// nothing. Errors: of standard output only, told like any other.
#pragma once

#include <string>

#include "base/error.h"

namespace verb {

int complain(const base::Error& error);
int say(const std::string& text);
// What a person at work is told on the way: standard error, so that results can be piped.
void tell(const std::string& text);

}  // namespace verb
