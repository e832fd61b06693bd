#include "submit/peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace submit {

namespace {

constexpr uid_t overflow_uid = 65534;
constexpr std::size_t group_limit = 65536;  // NGROUPS_MAX

}  // namespace

base::Result<mail::Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return base::failure_errno(base::Fault::os, "cannot tell who calls", errno);
  }
  // -1: a socket that is no Unix socket knows no caller.
  if (credentials.uid == overflow_uid || credentials.uid == static_cast<uid_t>(-1)) {
    return base::failure(base::Fault::not_permitted, "user 65534 (nobody) may be anybody",
                         "run the program as a user of its own");
  }
  mail::Peer peer;
  peer.uid = credentials.uid;
  peer.groups = {credentials.gid};
  std::vector<gid_t> more(32);
  length = static_cast<socklen_t>(more.size() * sizeof(gid_t));
  while (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, more.data(), &length) != 0) {
    const std::size_t wanted = length / sizeof(gid_t);
    if (errno != ERANGE || wanted <= more.size() || wanted > group_limit) return peer;
    more.resize(wanted);
  }
  more.resize(length / sizeof(gid_t));
  for (const gid_t group : more) {
    if (std::find(peer.groups.begin(), peer.groups.end(), group) == peer.groups.end()) {
      peer.groups.push_back(group);
    }
  }
  return peer;
}

}  // namespace submit
