// door: the way to an agent: the socket of one that listens, else one of our own for this message.
// Source: design section 2, "Which profile". Errors: Fault::unavailable (69: it does not answer),
// Fault::os. Trusts: a socket only if its server is root, `mailbearer` or our own uid
// (SO_PEERCRED).
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/stream.h"

namespace submit {

struct Agent {
  std::unique_ptr<net::Stream> stream{};
  pid_t child = -1;  // the one-shot agent; -1: a socket
};

struct Way {
  std::string socket{};                    // empty: one-shot
  bool socket_required = false;            // never one-shot beside it
  std::vector<std::string> once_argv{};    // how the one-shot agent is started
  std::vector<std::string> environment{};  // for it
};

base::Result<Agent> open_agent(const Way& way);
// The socket of an agent that listens, its server judged.
base::Result<base::Fd> connect_agent(const std::string& path);

}  // namespace submit
