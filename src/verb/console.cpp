#include "verb/console.h"

#include <unistd.h>

#include "base/file.h"
#include "report/exit_code.h"

namespace verb {

int complain(const base::Error& error) {
  std::string line = "mailbearer: ";
  if (!error.account.empty()) line += error.account + ": ";
  line += error.cause + (error.cure.empty() ? "" : "; " + error.cure) + "\n";
  (void)!write(STDERR_FILENO, line.data(), line.size());
  return report::exit_code(error.fault);
}

void tell(const std::string& text) {
  (void)!write(STDERR_FILENO, text.data(), text.size());
}

int say(const std::string& text) {
  const base::Done written = base::write_all(STDOUT_FILENO, text, "standard output");
  return written.ok() ? 0 : complain(written.error());
}

}  // namespace verb
