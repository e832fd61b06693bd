// trace: where a room may show its dialogue, one line at a time, for `sendmail -v` and doctor.
// Lines come without line end and with secrets already blotted out by the caller. Empty: nobody
// listens. A line that begins with `progress_mark` says how far a long step is, for people.
#pragma once

#include <functional>
#include <string_view>

namespace base {

using Trace = std::function<void(std::string_view line)>;

constexpr std::string_view progress_mark = "= ";

inline void tell(const Trace& trace, std::string_view line) {
  if (trace) trace(line);
}

}  // namespace base
