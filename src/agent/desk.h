// desk: what one worker keeps from message to message: its helper, its open connections; and the
// one way in which it carries a prepared message to its provider: the token beside the dialogue,
// then SMTP or Graph. Owns: the helper's process, the connections. One thread. Errors: none as a
// call; each recipient has its fate.
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
  // `connections`: those of all workers of this process; null: its own, and what is known of
  // servers outlives the process in the runtime folder.
  explicit Desk(const Surroundings& around, transport::Connections* connections = nullptr)
      : around_(around), shared_(connections) {}

  std::vector<base::Fate> carry(const Errand& errand);

 private:
  net::HelperProgram& helper();
  transport::Connections& connections(const std::string& runtime_dir);

  const Surroundings& around_;
  transport::Connections* shared_;
  std::optional<net::HelperProgram> helper_{};
  std::optional<transport::KnownServers> known_{};
  std::optional<transport::Connections> connections_{};
};

}  // namespace agent
