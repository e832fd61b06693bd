// mailbearer-agent: owns queue, policy, access tokens and SMTP connections. For one caller (--once)
// or standing (--foreground).
#include <csignal>
#include <cstdio>
#include <memory>

#include "agent/one_shot.h"
#include "agent/standing.h"
#include "base/process.h"
#include "cli/agent_options.h"
#include "cli/environment.h"
#include "report/exit_code.h"
#include "report/tell.h"

namespace {

int complain(const base::Error& error) {
  std::fprintf(stderr, "mailbearer-agent: %s\n", agent::sentence(error).c_str());
  return report::exit_code(error.fault);
}

int stand(const agent::Surroundings& around) {
  base::Result<std::unique_ptr<agent::Standing>> standing = agent::Standing::start(around);
  return standing ? (*standing)->run() : complain(standing.error());
}

}  // namespace

int main(int argc, char** argv) {
  base::settle_process();
  base::forbid_dumps();
  base::Result<cli::AgentOptions> options = cli::parse_agent_options(argc, argv);
  if (!options) return complain(options.error());
  if (options->show_version) {
    std::puts("mailbearer-agent " MAILBEARER_VERSION);
    return 0;
  }
  const agent::Surroundings around = agent::surroundings_of(*options);
  if (options->run == cli::AgentOptions::Run::foreground) return stand(around);
  std::signal(SIGHUP, SIG_IGN);  // R7: the caller's terminal may go while we deliver
  return agent::serve_once(around);
}
