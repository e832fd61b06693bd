// run_program: another program, started by its own argument vector and never by a shell. Errors:
// Fault::os when it cannot be started. What it prints is bounded and is not trusted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace verb {

struct Ended {
  int code = 0;  // exit code; 128 + signal
  std::string out{};
  std::string err{};
};

// To its end, or until the deadline, when it is killed (code 137). Each output to 256 KiB.
base::Result<Ended> run_program(const std::vector<std::string>& argv,
                                const std::vector<std::string>& environment, std::string_view input,
                                base::Deadline deadline);

// In a session of its own, its output lost: it may outlive us.
base::Done start_detached(const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment);

// The program of that name in a list of folders such as $PATH; empty: none. A name with a slash is
// itself.
std::string find_program(const std::string& name, const std::string& path);

}  // namespace verb
