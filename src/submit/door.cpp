#include "submit/door.h"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/process.h"

namespace submit {

using base::failure;
using base::Fault;

namespace {

constexpr std::int64_t patience_ms = 10'000;

base::Error silent(const std::string& why) {
  return failure(Fault::unavailable, "the mailbearer agent does not answer (" + why + ")",
                 "see: systemctl status mailbearer");
}

// Only root, the agent's own user and we ourselves may be handed mail.
bool server_trusted(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  if (peer.uid == 0 || peer.uid == geteuid()) return true;
  const passwd* entry = getpwnam("mailbearer");
  return entry != nullptr && entry->pw_uid == peer.uid;
}

}  // namespace

base::Result<base::Fd> connect_agent(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return failure(Fault::config, "socket path is too long: " + path,
                   "set MAILBEARER_SOCKET to a shorter one");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.open()) return base::failure_errno(Fault::os, "cannot make a socket", errno);
  // A full backlog makes a blocking connect wait: bounded by the send timeout (C2).
  const timeval limit{patience_ms / 1000, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return silent(std::strerror(errno));
  }
  if (!server_trusted(socket.get())) {
    return failure(Fault::not_permitted, path + " is served by another user",
                   "see who owns the process behind it");
  }
  return socket;
}

base::Result<Agent> open_agent(const Way& way) {
  Agent agent;
  if (!way.socket.empty()) {
    base::Result<base::Fd> socket = connect_agent(way.socket);
    if (socket) {
      agent.stream = std::make_unique<net::FdStream>(std::move(*socket));
      return agent;
    }
    if (way.socket_required) return std::move(socket).error();
  }
  base::Result<base::Child> child = base::start_child(way.once_argv, way.environment);
  if (!child) return std::move(child).error();
  agent.child = child->pid;
  agent.stream = std::make_unique<net::FdStream>(std::move(child->channel));
  return agent;
}

}  // namespace submit
