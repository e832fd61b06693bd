// The listening socket of an agent, and the test that the kernel tells it who calls.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "submit/crowd.h"
#include "submit/peer.h"

namespace submit {

namespace {

base::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return base::failure(base::Fault::config, "socket path is empty or too long: " + path,
                         "name one of at most 107 bytes");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Somebody answers there.
bool lives(const sockaddr_un& address) {
  const base::Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.open()) return true;
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return true;
  }
  return errno != ECONNREFUSED && errno != ENOENT;
}

}  // namespace

base::Result<base::Fd> listen_at(const std::string& path, unsigned mode) {
  base::Result<sockaddr_un> address = address_of(path);
  if (!address) return std::move(address).error();
  struct stat there {};
  if (lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) {
      return base::failure(base::Fault::config, path + " exists and is no socket",
                           "move it away, or name another path");
    }
    if (lives(*address)) {
      return base::failure(base::Fault::config, "another agent serves " + path,
                           "stop it, or name another path");
    }
    unlink(path.c_str());
  }
  base::Fd made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.open()) return base::failure_errno(base::Fault::os, "cannot make a socket", errno);
  // Nobody may call before the mode is the one that was asked for.
  const mode_t before = umask(0177);
  const int bound = bind(made.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  umask(before);
  if (bound != 0) {
    base::Error error =
        base::failure_errno(base::Fault::cannot_create, "cannot make the socket " + path, errno);
    error.cure = "see that its folder exists and is ours";
    return error;
  }
  if (chmod(path.c_str(), mode) != 0 || listen(made.get(), SOMAXCONN) != 0) {
    return base::failure_errno(base::Fault::os, "cannot listen at " + path, errno);
  }
  return made;
}

base::Done judge_peer_credentials() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::failure_errno(base::Fault::os, "cannot make a socket", errno);
  }
  const base::Fd ours(ends[0]);
  const base::Fd other(ends[1]);
  const base::Result<mail::Peer> seen = peer_of(ours.get());
  if (seen && seen->uid == geteuid()) return base::done();
  return base::failure(base::Fault::config, "the kernel does not tell this service who calls it",
                       "set PrivateUsers=no in the unit of the agent");
}

}  // namespace submit
