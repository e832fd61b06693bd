#include "report/tell.h"

#include "base/text.h"

namespace report {

namespace {
constexpr std::size_t piece_limit = 400;
constexpr std::string_view unknown = "outcome unknown, may have been delivered";
}  // namespace

std::string tell(const base::Error& error) {
  const std::string account = error.account.empty() ? "" : " (" + error.account + ")";
  std::string cause = error.cause;
  std::string line = "not sent" + account + ": ";
  if (error.fault == base::Fault::outcome_unknown) {
    // It may have been sent: these words come first (design section 2).
    if (cause.starts_with(unknown)) cause.erase(0, unknown.size());
    line = std::string(unknown) + account;
    if (!cause.starts_with(":") && !cause.starts_with(";") && !cause.empty()) line += ":";
    if (!cause.starts_with(" ") && !cause.starts_with(":") && !cause.empty()) line += " ";
  }
  line += base::clean(cause, piece_limit);
  if (!error.cure.empty()) line += "; " + base::clean(error.cure, piece_limit);
  if (!error.said.empty()) line += " [server: \"" + base::clean(error.said, piece_limit) + "\"]";
  return line;
}

}  // namespace report
