#include "verb/typed_secret.h"

#include <termios.h>
#include <unistd.h>

#include <string>

#include "base/file.h"
#include "base/text.h"

namespace verb {

namespace {

using base::Fault;

constexpr std::size_t secret_limit_bytes = 64UL * 1024;

// While it lives, what is typed does not show.
class NoEcho {
 public:
  NoEcho() {
    active_ = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!active_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    const std::string prompt = "Secret (it does not show; end with Enter and Ctrl-D): ";
    (void)!write(STDERR_FILENO, prompt.data(), prompt.size());
  }
  ~NoEcho() {
    if (!active_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    (void)!write(STDERR_FILENO, "\n", 1);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

}  // namespace

base::Result<base::Secret> read_typed_secret(bool input_closed) {
  if (input_closed) {
    return base::failure(Fault::io, "standard input is closed",
                         "give the secret on standard input");
  }
  const NoEcho no_echo;
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
