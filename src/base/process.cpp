#include "base/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <iterator>

namespace base {

std::string program_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length <= 0) return {};
  return folder_of(std::string(path.data(), static_cast<std::size_t>(length)));
}

std::string sibling_program(const std::string& name, const std::string& installed_folder) {
  std::string beside = program_folder() + "/" + name;
  if (access(beside.c_str(), X_OK) == 0) return beside;
  return installed_folder + "/" + name;
}

namespace {

constexpr int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// R4: what we must not inherit. Signals that the caller ignores (nohup, mutt, a shell's background
// jobs) stay ignored.
void unblock_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGCHLD, SIG_DFL);
}

// In the child of vfork, in our memory until it is another program: system calls only. Why it
// could not be is left in `sys`.
[[noreturn]] void become_child(int channel, char* const* argv, char* const* environment,
                               bool own_session, volatile int& sys) {
  if (own_session) setsid();
  const int null = open("/dev/null", O_WRONLY);
  if (null >= 0 && dup2(channel, 0) >= 0 && dup2(null, 1) >= 0) {
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    unblock_signals();
    execve(argv[0], argv, environment);
  }
  sys = errno;
  _exit(71);
}

}  // namespace

Result<Child> start_child(const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment, bool own_session) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return failure_errno(Fault::os, "cannot make a socket pair", errno);
  }
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  const std::vector<char*> words = pointers(argv);
  const std::vector<char*> values = pointers(environment);
  // vfork: the child needs no copy of our memory, of which it would have most pages copied again
  // while we go on. No program of ours has signal handlers, which could run in it.
  volatile int sys = 0;
  const pid_t pid = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (pid < 0) return failure_errno(Fault::os, "cannot start " + argv[0], errno);
  // NOLINTNEXTLINE(clang-analyzer-unix.Vfork): system calls only, and it does not come back
  if (pid == 0) become_child(theirs.get(), words.data(), values.data(), own_session, sys);
  if (sys != 0) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return failure_errno(Fault::os, "cannot run " + argv[0], sys);
  }
  Child child;
  child.pid = pid;
  child.channel = std::move(ours);
  return child;
}

int reap_child(pid_t pid, Deadline deadline) {
  int status = 0;
  for (;;) {
    const pid_t got = waitpid(pid, &status, deadline.left_ms() < 0 ? 0 : WNOHANG);
    if (got == pid) return status;
    if (got < 0 && errno != EINTR) return -1;
    if (deadline.passed()) break;
    usleep(2000);
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

bool settle_process() {
  const bool input_was_closed = open_standard_descriptors();
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  unblock_signals();
  // R13: a broken pipe and a file over its limit are errors to be told, not to die of.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  return input_was_closed;
}

thread_local int SignalHold::holds_ = 0;
thread_local sigset_t SignalHold::before_;

SignalHold::SignalHold() {
  if (holds_++ > 0) return;
  sigset_t held;
  sigemptyset(&held);
  for (const int number : ending_signals) sigaddset(&held, number);
  sigprocmask(SIG_BLOCK, &held, &before_);
}

SignalHold::~SignalHold() {
  if (--holds_ == 0) sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool SignalHold::waiting() {
  sigset_t pending;
  if (sigpending(&pending) != 0) return false;
  return std::any_of(std::begin(ending_signals), std::end(ending_signals),
                     [&pending](int number) { return sigismember(&pending, number) == 1; });
}

void forbid_dumps() {
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace base
