// surroundings: what an agent was started with, and the configuration that follows from it. The
// standing agent reads it anew when its files change, and keeps the old one when the new one is
// faulty. Source: design section 2. Errors: those of account/configuration.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "account/configuration.h"
#include "cli/agent_options.h"
#include "cli/environment.h"
#include "report/log.h"

namespace agent {

struct Surroundings {
  cli::AgentOptions options{};
  cli::Environment environment{};
  cli::Person person{};
};

// With the paths that the command line left to the profile filled in.
Surroundings surroundings_of(cli::AgentOptions options);

account::ConfigurationPaths paths_of(const Surroundings& around, const std::string& file,
                                     account::Profile profile);
// A key of [mailbearer] as written, or its default; empty: neither.
std::string main_value(const account::Configuration& configuration, std::string_view key);
report::Log log_of(const account::Configuration& configuration);
// An error as a line for standard error.
std::string sentence(const base::Error& error);
// The folder that the processes of this user share for a session; empty: none.
std::string runtime_dir(const Surroundings& around, const account::Configuration& configuration);

using SharedConfiguration = std::shared_ptr<const account::Configuration>;

// The configuration in force, for many threads.
class InForce {
 public:
  explicit InForce(const Surroundings& around) : around_(around) {}

  // Nothing: none could be read yet.
  SharedConfiguration get() const;
  // Why the files as they are now are not in force; nothing: they are.
  std::optional<base::Error> fault() const;
  // True: another one is in force now. Reads the files if they have changed, at most once a second,
  // or if `at_once`.
  bool refresh(bool at_once);

 private:
  // Another text after any of the files changed.
  std::string stamp() const;

  const Surroundings& around_;
  mutable std::mutex lock_{};
  SharedConfiguration now_{};
  std::optional<base::Error> fault_{};
  std::optional<std::string> read_{};
  std::int64_t looked_ms_ = 0;
};

}  // namespace agent
