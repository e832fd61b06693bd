#include "verb/terminal.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/text.h"
#include "verb/console.h"

namespace verb {

namespace {

using base::Fault;

constexpr std::size_t line_limit_bytes = 4096;
constexpr std::array ending_signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// What the terminal was; for the handler, which may look at nothing else.
termios before_hiding{};
volatile std::sig_atomic_t hiding = 0;
std::array<struct sigaction, ending_signals.size()> handlers_before{};

void restore_and_end(int signal) {
  if (hiding != 0) tcsetattr(STDIN_FILENO, TCSANOW, &before_hiding);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

base::Error nobody(const std::string& what, const std::string& option) {
  return base::failure(Fault::usage, what + " is not given, and there is no terminal to ask on",
                       "add " + option);
}

// The question in the words of an error: "Mail address" as "mail address".
std::string in_a_sentence(const std::string& question) {
  std::string out = question;
  if (!out.empty()) out[0] = base::to_lower(out[0]);
  return out;
}

base::Result<base::Secret> read_line() {
  base::Secret line;
  for (;;) {
    char c = 0;
    const ssize_t got = read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::failure_errno(Fault::io, "cannot read the terminal", errno);
    if (got == 0 && line.empty()) return base::failure(Fault::io, "ended without an answer");
    if (got == 0 || c == '\n') return line;
    if (line.size() >= line_limit_bytes) {
      return base::failure(Fault::usage, "the answer is longer than 4 KiB");
    }
    line.append(std::string_view(&c, 1));
  }
}

}  // namespace

bool person_is_there() {
  return isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
}

base::Result<std::string> ask(const std::string& question, const std::string& preset,
                              const std::string& option) {
  if (!person_is_there()) {
    if (!preset.empty()) return preset;
    return nobody(in_a_sentence(question), option);
  }
  tell(question + (preset.empty() ? "" : " [" + preset + "]") + ": ");
  const base::Result<base::Secret> line = read_line();
  if (!line) return line.error();
  const std::string answer(base::trim(line->reveal()));
  if (base::has_control(answer)) {
    return base::failure(Fault::usage, "the answer holds a control byte");
  }
  return answer.empty() ? preset : answer;
}

base::Result<bool> ask_yes(const std::string& question, bool preset, const std::string& option) {
  for (;;) {
    const base::Result<std::string> answer =
        ask(question + (preset ? " (Y/n)" : " (y/N)"), {}, option);
    if (!answer) return answer.error();
    const std::string word = base::lower(*answer);
    if (word.empty()) return preset;
    if (word == "y" || word == "yes") return true;
    if (word == "n" || word == "no") return false;
    tell("Type y or n.\n");
  }
}

base::Result<std::size_t> ask_choice(const std::string& question,
                                     const std::vector<std::string>& choices,
                                     const std::string& option) {
  if (!person_is_there()) return nobody(in_a_sentence(question), option);
  tell(question + ":\n");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    tell("  " + std::to_string(i + 1) + "  " + choices[i] + "\n");
  }
  for (;;) {
    const base::Result<std::string> answer = ask("Number", "1", option);
    if (!answer) return answer.error();
    std::int64_t number = 0;
    const auto most = static_cast<std::int64_t>(choices.size());
    if (base::parse_number(*answer, 1, most, number)) return static_cast<std::size_t>(number - 1);
    tell("Type a number from 1 to " + std::to_string(most) + ".\n");
  }
}

base::Result<base::Secret> ask_secret(const std::string& question, const std::string& option) {
  if (!person_is_there()) return nobody(in_a_sentence(question), option);
  const HiddenInput hidden(false);
  tell(question + " (it does not show): ");
  base::Result<base::Secret> line = read_line();
  tell("\n");
  if (!line) return line;
  const std::string_view bytes = base::trim(line->reveal());
  if (bytes.empty()) return base::failure(Fault::usage, "nothing was typed");
  if (base::has_control(bytes)) {
    return base::failure(Fault::usage, "what was typed holds a control byte");
  }
  return base::Secret(bytes);
}

HiddenInput::HiddenInput(bool raw) {
  if (hiding != 0 || isatty(STDIN_FILENO) == 0) return;
  if (tcgetattr(STDIN_FILENO, &before_hiding) != 0) return;
  active_ = true;
  struct sigaction action {};
  action.sa_handler = restore_and_end;
  for (std::size_t i = 0; i < ending_signals.size(); ++i) {
    sigaction(ending_signals[i], nullptr, &handlers_before[i]);
    // One that the caller ignores stays ignored.
    if (handlers_before[i].sa_handler != SIG_IGN) sigaction(ending_signals[i], &action, nullptr);
  }
  hiding = 1;
  termios quiet = before_hiding;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  if (raw) {
    quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
  }
  tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
}

HiddenInput::~HiddenInput() {
  if (!active_) return;
  tcsetattr(STDIN_FILENO, TCSADRAIN, &before_hiding);
  hiding = 0;
  for (std::size_t i = 0; i < ending_signals.size(); ++i) {
    sigaction(ending_signals[i], &handlers_before[i], nullptr);
  }
}

}  // namespace verb
