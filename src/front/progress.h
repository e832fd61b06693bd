// progress: how far a long delivery is, on one line of a terminal, which is cleared at the end. In
// a pipe nobody watches, and success is silent. Source: design section 2 (stderr). Errors: none.
// Trusts: the agent's trace, whose lines come cleaned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace front {

class Progress {
 public:
  // Somebody watches, and there is time to.
  static bool wanted(std::uint64_t message_bytes);
  Progress() = default;
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // A line of the trace; those that tell of no progress are left out.
  void show(std::string_view line);

 private:
  std::size_t shown_ = 0;
};

}  // namespace front
