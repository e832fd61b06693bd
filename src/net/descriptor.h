// descriptor: one open file that travels with bytes over a Unix socket (SCM_RIGHTS). Source:
// unix(7), cmsg(3). Owns: what it receives; several that come at once are closed but for the first.
// errno as of sendmsg(2) and recvmsg(2); neither waits.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "base/file.h"

namespace net {

// fd -1: bytes alone.
ssize_t send_with_descriptor(int socket, std::string_view bytes, int fd);
ssize_t receive_with_descriptor(int socket, char* into, std::size_t count, base::Fd& kept);

}  // namespace net
