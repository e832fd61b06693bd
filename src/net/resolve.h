// resolve: a connected TCP socket for a host name and port: all addresses of both families in the
// resolver's order, one after the other, under one deadline. TCP_NODELAY set. Errors:
// Fault::unavailable: "cannot reach HOST:PORT (REASON)", REASON among "name not found", "timed out
// after 30 s; is port 587 blocked?", "Connection refused".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace net {

// Where among the addresses of a name the tries stand, from one connection to the next.
struct AddressTurn {
  std::size_t next = 0;  // the first one to try
  bool more = false;  // after connect_tcp(): there are others behind the one that it connected to
};

base::Result<base::Fd> connect_tcp(const std::string& host, std::uint16_t port,
                                   std::int64_t timeout_ms, AddressTurn& turn);
base::Result<base::Fd> connect_tcp(const std::string& host, std::uint16_t port,
                                   std::int64_t timeout_ms);

}  // namespace net
