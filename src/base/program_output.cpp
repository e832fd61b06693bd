#include "base/program_output.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/file.h"

namespace base {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// In the child of vfork: system calls only. Why it could not be is left in `sys`.
[[noreturn]] void become_program(int output, int null, char* const* argv, char* const* environment,
                                 volatile int& sys) {
  setsid();
  if (dup2(null, 0) >= 0 && dup2(output, 1) >= 0 && dup2(null, 2) >= 0) {
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGPIPE, SIGXFSZ, SIGHUP, SIGCHLD}) signal(number, SIG_DFL);
    execve(argv[0], argv, environment);
  }
  sys = errno;
  _exit(71);
}

// Its own session is its own process group: what it started goes with it.
void end_group(pid_t pid) {
  kill(-pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

enum class Reading : std::uint8_t { whole, too_slow, too_much, failed };

Reading read_to_end(int fd, std::size_t limit, Deadline deadline, Secret& out) {
  std::array<char, 4096> piece{};
  for (;;) {
    pollfd ready{fd, POLLIN, 0};
    const int waited = poll(&ready, 1, deadline.left_ms());
    if (waited == 0) return Reading::too_slow;
    if (waited < 0 && errno == EINTR) continue;
    const ssize_t got = waited < 0 ? -1 : read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got > 0) out.append({piece.data(), static_cast<std::size_t>(got)});
    explicit_bzero(piece.data(), piece.size());
    if (got < 0) return Reading::failed;
    if (got == 0) return Reading::whole;
    if (out.size() > limit) return Reading::too_much;
  }
}

Result<pid_t> start(const std::string& name, const std::vector<std::string>& argv,
                    const std::vector<std::string>& environment, int output) {
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.open()) return failure_errno(Fault::os, "cannot open /dev/null", errno);
  const std::vector<char*> words = pointers(argv);
  const std::vector<char*> values = pointers(environment);
  volatile int sys = 0;
  const pid_t pid = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (pid < 0) return failure_errno(Fault::os, "cannot start " + argv[0], errno);
  // NOLINTNEXTLINE(clang-analyzer-unix.Vfork): system calls only, and it does not come back
  if (pid == 0) become_program(output, null.get(), words.data(), values.data(), sys);
  if (sys == 0) return pid;
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return failure_errno(Fault::config, "cannot run " + argv[0] + " of " + name, sys);
}

Error ended_badly(const std::string& name, int status) {
  if (WIFSIGNALED(status)) {
    return failure(Fault::unavailable,
                   name + " was ended by signal " + std::to_string(WTERMSIG(status)));
  }
  return failure(Fault::unavailable,
                 name + " failed (exit code " + std::to_string(WEXITSTATUS(status)) + ")");
}

}  // namespace

Result<Secret> program_output(const std::string& name, const std::vector<std::string>& argv,
                              const std::vector<std::string>& environment, std::size_t limit,
                              Deadline deadline) {
  if (argv.empty()) return failure(Fault::config, name + " is empty");
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return failure_errno(Fault::os, "cannot make a pipe", errno);
  }
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  Result<pid_t> pid = start(name, argv, environment, theirs.get());
  if (!pid) return std::move(pid).error();
  theirs.reset();
  Secret out;
  const Reading reading = read_to_end(ours.get(), limit, deadline, out);
  int status = 0;
  // Who closes its output and stays has not ended in time either.
  pid_t got = 0;
  while (reading == Reading::whole && (got = waitpid(*pid, &status, WNOHANG)) == 0 &&
         !deadline.passed()) {
    poll(nullptr, 0, 2);
  }
  if (got != *pid) end_group(*pid);
  if (reading == Reading::too_much) {
    return failure(Fault::unavailable, name + " prints more than a secret");
  }
  if (reading == Reading::failed || got < 0) {
    return failure(Fault::unavailable, "cannot read what " + name + " prints");
  }
  if (got != *pid) return failure(Fault::unavailable, name + " did not end in time");
  if (status != 0) return ended_badly(name, status);
  return out;
}

}  // namespace base
