// measure: runs a command and says what it cost, it and every process that it leaves behind.
//
//   measure [--namespace PATH] [--count N] [--first N] [--at-once] [--input FILE] [--output FILE]
//   -- COMMAND...
//
// --count: so many times, one after another or, with --at-once, all together; "{n}" in COMMAND and
// FILE becomes the number of the run (--first, or 1, and up). --namespace: in this network
// namespace. --output: where standard output and error go. Prints one JSON object:
//   wall_us      from the first start to the end of the last COMMAND (what a caller waits for)
//   all_us       ... to the end of the last process, those that outlive their COMMAND included
//   failed       how many COMMANDs did not end with 0, and `status`, the first such status
//   processes    for each process: name, exit, cpu_us, peak_kib (its largest resident size), faults
// A small program without a runtime of its own, since what the kernel counts as a child's peak
// begins with that of the process that started it.
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <set>
#include <string>
#include <vector>

extern char** environ;

namespace {

struct Wish {
  std::string space{};
  std::string input{"/dev/null"};
  std::string output{"/dev/null"};
  int count = 1;
  int first = 1;
  bool at_once = false;
  char** command = nullptr;
};

struct Result {
  long long wall_us = 0;
  int failed = 0;
  int status = 0;
  std::string processes{};
};

long long now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "measure: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(71);
}

std::string numbered(std::string text, int number) {
  for (std::size_t at = 0; (at = text.find("{n}", at)) != std::string::npos;) {
    text.replace(at, 3, std::to_string(number));
  }
  return text;
}

pid_t start(const Wish& wish, int number) {
  std::vector<std::string> words;
  for (char** word = wish.command; *word != nullptr; ++word) {
    words.push_back(numbered(*word, number));
  }
  std::vector<char*> command;
  for (std::string& word : words) command.push_back(word.data());
  command.push_back(nullptr);
  const std::string input = numbered(wish.input, number);
  const std::string output = numbered(wish.output, number);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t pid = -1;
  errno = posix_spawnp(&pid, command[0], &files, nullptr, command.data(), environ);
  if (errno != 0) fail(command[0]);
  posix_spawn_file_actions_destroy(&files);
  return pid;
}

// The name that a process has while it is dead and not yet waited for.
std::string name_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/comm";
  std::string name(64, '\0');
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t size = file < 0 ? 0 : read(file, name.data(), name.size());
  if (file >= 0) close(file);
  name.resize(size > 0 ? static_cast<std::size_t>(size) - 1 : 0);
  for (char& c : name) {
    if (c < ' ' || c == '"' || c == '\\' || c > '~') c = '?';
  }
  return name;
}

// Waits for the next process that ends and notes it; its id, or -1 when none is left.
pid_t note_next(const std::set<pid_t>& commands, Result& result) {
  siginfo_t ended{};
  if (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) != 0) return -1;
  const std::string name = name_of(ended.si_pid);
  int status = 0;
  rusage used{};
  if (wait4(ended.si_pid, &status, 0, &used) != ended.si_pid) return -1;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const bool ours = commands.count(ended.si_pid) != 0;
  if (ours && code != 0 && result.failed++ == 0) result.status = code;
  const auto micro = [](const timeval& time) { return time.tv_sec * 1'000'000LL + time.tv_usec; };
  char line[320];
  std::snprintf(
      line, sizeof line,
      R"(%s{"name": "%s", "command": %s, "exit": %d, "cpu_us": %lld, "peak_kib": %ld, "faults": %ld})",
      result.processes.empty() ? "" : ", ", name.c_str(), ours ? "true" : "false", code,
      micro(used.ru_utime) + micro(used.ru_stime), used.ru_maxrss, used.ru_minflt);
  result.processes += line;
  return ended.si_pid;
}

// Until each of these commands has ended; others that end meanwhile are noted, too.
void await(std::set<pid_t> running, const std::set<pid_t>& commands, Result& result) {
  while (!running.empty()) {
    const pid_t ended = note_next(commands, result);
    if (ended < 0) fail("wait");
    running.erase(ended);
  }
}

Wish wish_of(int argc, char** argv) {
  Wish wish;
  int at = 1;
  for (; at < argc && std::strcmp(argv[at], "--") != 0; ++at) {
    const std::string word = argv[at];
    if (word == "--at-once") {
      wish.at_once = true;
      continue;
    }
    const char* value = at + 1 < argc ? argv[++at] : "";
    if (word == "--namespace")
      wish.space = value;
    else if (word == "--count")
      wish.count = std::atoi(value);
    else if (word == "--first")
      wish.first = std::atoi(value);
    else if (word == "--input")
      wish.input = value;
    else if (word == "--output")
      wish.output = value;
    else
      at = argc;
  }
  if (at + 1 >= argc) {
    std::fprintf(stderr, "usage: measure [OPTIONS] -- COMMAND...\n");
    std::exit(64);
  }
  wish.command = argv + at + 1;
  return wish;
}

}  // namespace

int main(int argc, char** argv) {
  const Wish wish = wish_of(argc, argv);
  if (!wish.space.empty()) {
    const int space = open(wish.space.c_str(), O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0) fail(wish.space);
    close(space);
  }
  // Orphans come to us, so that what outlives its command is counted.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail("subreaper");
  Result result;
  std::set<pid_t> commands;
  std::set<pid_t> running;
  const long long begin = now_us();
  for (int i = 0; i < wish.count; ++i) {
    const pid_t pid = start(wish, wish.first + i);
    commands.insert(pid);
    running.insert(pid);
    if (wish.at_once) continue;
    await(running, commands, result);
    running.clear();
  }
  await(running, commands, result);
  const long long wall = now_us() - begin;
  while (note_next(commands, result) >= 0) {
  }
  std::printf(R"({"wall_us": %lld, "all_us": %lld, "failed": %d, "status": %d, "processes": [%s]})"
              "\n",
              wall, now_us() - begin, result.failed, result.status, result.processes.c_str());
  return 0;
}
