// terminal: questions to a person, on a terminal only: standard input and standard error both are
// one. What is typed there may be hidden, and the terminal is as it was whatever ends us: an error,
// Ctrl-C, SIGTERM, SIGHUP. Limits: 4 KiB a line. Errors: Fault::usage where nobody can be asked,
// naming the option that says it; Fault::io when the input ends. Trusts: nothing typed; control
// bytes are refused.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace verb {

bool person_is_there();

// Shown as "Question [preset]: "; an empty answer takes the preset. `option` is what a script says.
base::Result<std::string> ask(const std::string& question, const std::string& preset,
                              const std::string& option);
base::Result<bool> ask_yes(const std::string& question, bool preset, const std::string& option);
// One of several, from 1 on; the answer is its place, from 0 on.
base::Result<std::size_t> ask_choice(const std::string& question,
                                     const std::vector<std::string>& choices,
                                     const std::string& option);
base::Result<base::Secret> ask_secret(const std::string& question, const std::string& option);

// While it lives, what is typed does not show, and with `raw` comes byte by byte: a pasted address
// is longer than a line that the kernel would take. Ctrl-C works. Does nothing without a terminal.
class HiddenInput {
 public:
  explicit HiddenInput(bool raw);
  ~HiddenInput();
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;
  bool active() const { return active_; }

 private:
  bool active_ = false;
};

}  // namespace verb
