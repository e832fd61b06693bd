// mailbearer-sandbox: the simulated Microsoft 365. A table of contents; the work is in sandbox/.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "base/process.h"
#include "sandbox/options.h"
#include "sandbox/sandbox.h"

namespace {

// sysexits(3), as far as this program goes.
int exit_code(base::Fault fault) {
  switch (fault) {
    case base::Fault::usage:
      return 64;
    case base::Fault::cannot_create:
      return 73;
    case base::Fault::config:
      return 78;
    default:
      return 70;
  }
}

int complain(const base::Error& error) {
  std::fprintf(stderr, "mailbearer-sandbox: %s%s%s\n", error.cause.c_str(),
               error.cure.empty() ? "" : "; ", error.cure.c_str());
  return exit_code(error.fault);
}

// SIGINT and SIGTERM as a descriptor; blocked here, so that every thread inherits it.
base::Fd signals_as_descriptor() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGHUP);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return base::Fd(signalfd(-1, &wanted, SFD_CLOEXEC));
}

void wait_for_the_end(const sandbox::Options& options, const base::Fd& signals) {
  // A descriptor of -1 is passed over by poll.
  const base::Fd parent(options.parent_pid == 0
                            ? -1
                            : static_cast<int>(syscall(SYS_pidfd_open, options.parent_pid, 0)));
  std::array<pollfd, 3> waited = {pollfd{signals.get(), POLLIN, 0}, pollfd{parent.get(), POLLIN, 0},
                                  pollfd{options.until_stdin_closes ? 0 : -1, POLLIN, 0}};
  for (;;) {
    // Where pidfd_open is missing, the parent is asked for twice a second.
    const int wait_ms = options.parent_pid != 0 && !parent.open() ? 500 : -1;
    const int ready = poll(waited.data(), waited.size(), wait_ms);
    if (ready == 0 && kill(static_cast<pid_t>(options.parent_pid), 0) != 0) return;
    if (waited[0].revents != 0 || waited[1].revents != 0) return;
    std::array<char, 512> thrown_away{};
    if (waited[2].revents != 0 && read(0, thrown_away.data(), thrown_away.size()) <= 0) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  base::settle_process();
  base::forbid_dumps();
  umask(077);
  base::Result<sandbox::Options> options =
      sandbox::parse_options(std::vector<std::string>(argv + 1, argv + argc));
  if (!options) return complain(options.error());
  if (options->help) {
    std::fputs(std::string(sandbox::usage_text()).c_str(), stdout);
    return 0;
  }
  if (options->version) {
    std::puts("mailbearer-sandbox " MAILBEARER_VERSION);
    return 0;
  }
  const base::Fd signals = signals_as_descriptor();
  const base::Result<std::unique_ptr<sandbox::Sandbox>> running = sandbox::Sandbox::start(*options);
  if (!running) return complain(running.error());
  std::printf("ready %s/sandbox.json\n", (*running)->places().directory.c_str());
  std::fflush(stdout);
  wait_for_the_end(*options, signals);
  (*running)->stop();
  return 0;
}
