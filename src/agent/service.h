// service: what systemd and the agent say to each other: the sockets it passes (LISTEN_FDS), and
// one datagram for each change of state (NOTIFY_SOCKET). Source: sd_listen_fds(3), sd_notify(3):
// the protocol is these few lines, and libsystemd would cost every one-shot agent its loading.
// Without systemd nothing is passed and nothing is said. Errors: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "cli/environment.h"

namespace agent {

struct PassedSocket {
  base::Fd socket{};
  std::string path{};  // of a Unix socket; empty: of another kind
};
std::vector<PassedSocket> passed_sockets(const cli::ServiceEnvironment& environment);

class Service {
 public:
  explicit Service(cli::ServiceEnvironment environment) : environment_(std::move(environment)) {}
  void say(std::string_view state) const;  // "READY=1\nSTATUS=…"
  // How often a sign of life is owed; 0: never.
  std::int64_t watchdog_ms() const { return environment_.watchdog_us / 2000; }

 private:
  cli::ServiceEnvironment environment_;
};

}  // namespace agent
