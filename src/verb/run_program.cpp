#include "verb/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace verb {

namespace {

constexpr std::size_t output_limit_bytes = 256UL * 1024;

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  out.push_back(nullptr);
  return out;
}

struct Pipe {
  base::Fd read;
  base::Fd write;
  bool open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read.reset(ends[0]);
    write.reset(ends[1]);
    return true;
  }
};

// What a child begins with: descriptors 0 to 2, signals as a program expects them.
class Start {
 public:
  Start() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    sigset_t usual;
    sigemptyset(&usual);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) {
      sigaddset(&usual, signal);
    }
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    flags_ = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  }
  ~Start() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;

  void give(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void give_nothing(int to) {
    posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", O_RDWR, 0);
  }
  void own_session() { flags_ = static_cast<short>(flags_ | POSIX_SPAWN_SETSID); }

  base::Result<pid_t> run(const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment) {
    posix_spawnattr_setflags(&attributes_, flags_);
    pid_t pid = -1;
    const int failed = posix_spawn(&pid, argv.front().c_str(), &actions_, &attributes_,
                                   pointers(argv).data(), pointers(environment).data());
    if (failed == 0) return pid;
    return base::failure_errno(base::Fault::os, "cannot start " + argv.front(), failed);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  short flags_ = 0;
};

// False: it has ended.
bool take_output(base::Fd& from, std::string& into) {
  std::array<char, 8192> buffer{};
  const ssize_t got = read(from.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got <= 0) return false;
  const auto room = output_limit_bytes - std::min(output_limit_bytes, into.size());
  into.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
  return true;
}

bool put_input(base::Fd& into, std::string_view& input) {
  if (input.empty()) return false;
  const ssize_t put = write(into.get(), input.data(), input.size());
  if (put < 0) return errno == EINTR || errno == EAGAIN;
  input.remove_prefix(static_cast<std::size_t>(put));
  return !input.empty();
}

// Feeds and listens until both outputs have ended or time is up.
void exchange(Pipe& in, Pipe& out, Pipe& err, std::string_view input, Ended& ended,
              base::Deadline deadline) {
  fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
  if (input.empty()) in.write.reset();
  while ((out.read.open() || err.read.open()) && !deadline.passed()) {
    std::array<pollfd, 3> watched = {
        {{in.write.get(), POLLOUT, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
    if (poll(watched.data(), watched.size(), deadline.left_ms()) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0 && !put_input(in.write, input)) in.write.reset();
    if (watched[1].revents != 0 && !take_output(out.read, ended.out)) out.read.reset();
    if (watched[2].revents != 0 && !take_output(err.read, ended.err)) err.read.reset();
  }
}

}  // namespace

base::Result<Ended> run_program(const std::vector<std::string>& argv,
                                const std::vector<std::string>& environment, std::string_view input,
                                base::Deadline deadline) {
  Pipe in;
  Pipe out;
  Pipe err;
  if (!in.open() || !out.open() || !err.open()) {
    return base::failure_errno(base::Fault::os, "cannot make a pipe", errno);
  }
  Start start;
  start.give(in.read.get(), 0);
  start.give(out.write.get(), 1);
  start.give(err.write.get(), 2);
  const base::Result<pid_t> pid = start.run(argv, environment);
  if (!pid) return pid.error();
  in.read.reset();
  out.write.reset();
  err.write.reset();
  Ended ended;
  exchange(in, out, err, input, ended, deadline);
  in.write.reset();
  const int status = base::reap_child(*pid, deadline);
  if (status < 0) {
    ended.code = 137;
  } else {
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return ended;
}

base::Done start_detached(const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment) {
  Start start;
  for (const int descriptor : {0, 1, 2}) start.give_nothing(descriptor);
  start.own_session();
  const base::Result<pid_t> pid = start.run(argv, environment);
  return pid ? base::done() : base::Done(pid.error());
}

std::string find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  for (const std::string_view folder : base::split(path, ':')) {
    // A relative folder in $PATH means whatever lies where we happen to stand.
    if (folder.empty() || folder[0] != '/') continue;
    std::string file = std::string(folder) + "/" + name;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

}  // namespace verb
