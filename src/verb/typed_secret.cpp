#include "verb/typed_secret.h"

#include <unistd.h>

#include <string>

#include "base/file.h"
#include "base/text.h"
#include "verb/console.h"
#include "verb/terminal.h"

namespace verb {

namespace {

using base::Fault;

constexpr std::size_t secret_limit_bytes = 64UL * 1024;

// At a terminal, what is typed does not show; whatever ends us, the terminal is as it was.
class Prompt {
 public:
  Prompt() {
    if (hidden_.active()) {
      tell("Secret (it does not show; end with Enter and Ctrl-D): ");
    }
  }
  ~Prompt() {
    if (hidden_.active()) tell("\n");
  }
  Prompt(const Prompt&) = delete;
  Prompt& operator=(const Prompt&) = delete;

 private:
  HiddenInput hidden_{false};
};

}  // namespace

base::Result<base::Secret> read_typed_secret(bool input_closed) {
  if (input_closed) {
    return base::failure(Fault::io, "standard input is closed",
                         "give the secret on standard input");
  }
  const Prompt prompt;
  base::Result<base::Secret> typed =
      base::read_secret(STDIN_FILENO, secret_limit_bytes, "standard input");
  if (!typed) {
    if (typed.error().fault == Fault::io) return typed;
    return base::failure(Fault::bad_message, "secret is longer than 64 KiB");
  }
  std::string_view bytes = typed->reveal();
  if (!bytes.empty() && bytes.back() == '\n') bytes.remove_suffix(1);
  if (!bytes.empty() && bytes.back() == '\r') bytes.remove_suffix(1);
  if (bytes.empty()) {
    return base::failure(Fault::bad_message, "standard input holds no secret",
                         "give it on standard input: mailbearer secret set ACCOUNT KIND < FILE");
  }
  if (base::has_control(bytes)) {
    return base::failure(Fault::bad_message, "secret holds a line end or another control byte",
                         "give the secret alone, on one line");
  }
  return base::Secret(bytes);
}

}  // namespace verb
