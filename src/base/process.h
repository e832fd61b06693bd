// process: starting one of our own programs as a child. No shell, no inherited descriptor but the
// ones named, an environment made anew. Errors: Fault::os.
#pragma once

#include <sys/types.h>

#include <csignal>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace base {

struct Child {
  pid_t pid = -1;
  Fd channel;  // our end of a socketpair; the child has the other as its standard input
};

// The folder of the running program, by /proc/self/exe; empty when it cannot be told.
std::string program_folder();

// Path of one of our programs: beside the running one, else in `installed_folder`.
std::string sibling_program(const std::string& name, const std::string& installed_folder);

// Starts argv[0] with a socketpair as its standard input, /dev/null as standard output and our
// standard error, in its own session when `own_session`, with exactly `environment` ("NAME=value").
Result<Child> start_child(const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment, bool own_session = false);

// Waits for the child until the deadline, then kills it. Returns its wait status, or -1.
int reap_child(pid_t pid, Deadline deadline);

// Start-up of every main: SIGPIPE and SIGXFSZ ignored, signal mask and SIGCHLD reset (other signals
// that the caller ignores stay ignored), descriptors above 2 marked close-on-exec, 0-2 open.
// Returns true when standard input was closed.
bool settle_process();
// While it lives, the signals by which a person or a terminal ends a program wait: for work that
// must not be cut in two, as between a provider's new refresh token and its storing. Several may
// live at once and end in any order, on the thread that began them.
class SignalHold {
 public:
  SignalHold();
  ~SignalHold();
  SignalHold(const SignalHold&) = delete;
  SignalHold& operator=(const SignalHold&) = delete;
  // Whether one of them waits: long work may stop where it can be taken back.
  static bool waiting();

 private:
  static thread_local int holds_;  // a signal mask is a thread's own
  static thread_local sigset_t before_;
};
// No core, not dumpable, not traceable by the same uid: for programs that hold tokens.
void forbid_dumps();

}  // namespace base
