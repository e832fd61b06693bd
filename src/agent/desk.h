// desk: what one worker keeps from message to message: its helper, its open connections, what it
// knows of servers; and the one way in which it carries a prepared message to its provider: the
// token beside the dialogue, then SMTP or Graph. Owns: the helper's process, the connections. One
// thread. Errors: none as a call; each recipient has its fate.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "account/configuration.h"
#include "agent/surroundings.h"
#include "base/fate.h"
#include "base/trace.h"
#include "mail/prepare.h"
#include "net/helper_program.h"
#include "transport/connections.h"
#include "transport/known_servers.h"

namespace agent {

struct Errand {
  const account::Configuration& configuration;
  const account::Account& account;
  mail::Prepared& message;
  base::Trace trace{};
  bool all_or_nothing = true;
  bool more_to_come = false;
  std::function<base::Done(std::size_t first, std::size_t count)> before_end{};
};

class Desk {
 public:
  // Of a one-shot agent what is known of servers outlives it in the runtime folder.
  Desk(const Surroundings& around, transport::KnownServers::Where memory)
      : around_(around), memory_(memory) {}

  std::vector<base::Fate> carry(const Errand& errand);
  // Nothing to do at present: idle connections are closed when their time has come.
  void rest();

 private:
  net::HelperProgram& helper();
  transport::Connections& connections(const std::string& runtime_dir);

  const Surroundings& around_;
  transport::KnownServers::Where memory_;
  std::optional<net::HelperProgram> helper_{};
  std::optional<transport::KnownServers> known_{};
  std::optional<transport::Connections> connections_{};
};

}  // namespace agent
