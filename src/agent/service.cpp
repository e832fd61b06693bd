#include "agent/service.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <utility>

namespace agent {

namespace {

constexpr int first_passed = 3;

}  // namespace

std::vector<PassedSocket> passed_sockets(const cli::ServiceEnvironment& environment) {
  std::vector<PassedSocket> out;
  for (int fd = first_passed; fd < first_passed + environment.listen_fds; ++fd) {
    PassedSocket one;
    one.socket.reset(fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    sockaddr_un address{};
    socklen_t length = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) continue;
    if (address.sun_family == AF_UNIX && length > offsetof(sockaddr_un, sun_path)) {
      one.path = address.sun_path;
    }
    out.push_back(std::move(one));
  }
  return out;
}

void Service::say(std::string_view state) const {
  const std::string& path = environment_.notify_socket;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const base::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.open()) return;
  // Nobody listening is no fault of ours.
  (void)!sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                reinterpret_cast<const sockaddr*>(&address),
                static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size()));
}

}  // namespace agent
