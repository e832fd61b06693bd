// program_output: what a program of the person's choice prints: a secret, a token. Started without
// a shell, with exactly the environment given, in a session of its own, standard input and standard
// error on /dev/null (a program that is made to trace itself prints secrets there). Its output is
// kept in wiped memory. Errors: Fault::config (cannot be run), Fault::unavailable (too slow, ended
// badly, printed too much), Fault::os.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace base {

// `name` is what the error calls it: "secret_command". Whoever does not end by the deadline is
// killed, and what it started with it.
Result<Secret> program_output(const std::string& name, const std::vector<std::string>& argv,
                              const std::vector<std::string>& environment, std::size_t limit,
                              Deadline deadline);

}  // namespace base
