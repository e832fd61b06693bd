#include "agent/surroundings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/clock.h"
#include "cli/profile.h"

namespace agent {

namespace {

constexpr std::int64_t look_again_ms = 1000;

// Another content, another text: name, size, and when and as what it was written.
std::string look_at(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return path + ":none ";
  return path + ":" + std::to_string(facts.st_ino) + ":" + std::to_string(facts.st_size) + ":" +
         std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec) + " ";
}

}  // namespace

Surroundings surroundings_of(cli::AgentOptions options) {
  Surroundings around{std::move(options), cli::read_environment(), cli::person_of(getuid())};
  cli::AgentOptions& given = around.options;
  if (given.run == cli::AgentOptions::Run::once) return around;
  const bool system = given.profile == account::Profile::system;
  if (given.config.empty()) {
    given.config = cli::config_file(around.environment, around.person, given.profile);
  }
  const std::string state =
      cli::default_state_dir(around.environment, around.person, given.profile);
  if (given.spool.empty()) given.spool = state + "/queue";
  const std::string sockets = system ? "/run/mailbearer" : cli::runtime_dir(around.person.uid);
  // A socket of its own asks for a second one only by name.
  if (given.control.empty() && given.listen.empty()) given.control = sockets + "/control.sock";
  if (given.listen.empty()) given.listen = sockets + "/submit.sock";
  return around;
}

std::string main_value(const account::Configuration& configuration, std::string_view key) {
  for (const auto& [name, value] : configuration.others) {
    if (name == key) return value;
  }
  return {};
}

report::Log log_of(const account::Configuration& configuration) {
  return {configuration.log, report::addresses_of(configuration.log_addresses)};
}

std::string sentence(const base::Error& error) {
  return error.cause + (error.cure.empty() ? "" : "; " + error.cure);
}

account::ConfigurationPaths paths_of(const Surroundings& around, const std::string& file,
                                     account::Profile profile) {
  account::ConfigurationPaths paths;
  paths.main_file = file;
  paths.providers_file = cli::providers_file();
  paths.site_providers_file = cli::site_providers_file();
  paths.profile = profile;
  paths.default_keyring_dir = cli::default_keyring_dir(around.environment, around.person);
  paths.default_state_dir = cli::default_state_dir(around.environment, around.person, profile);
  paths.needed_providers_only = true;
  return paths;
}

std::string runtime_dir(const Surroundings& around, const account::Configuration& configuration) {
  return configuration.runtime_dir.empty()
             ? cli::runtime_dir(around.person.uid, around.options.profile)
             : configuration.runtime_dir;
}

SharedConfiguration InForce::get() const {
  const std::lock_guard<std::mutex> hold(lock_);
  return now_;
}

std::optional<base::Error> InForce::fault() const {
  const std::lock_guard<std::mutex> hold(lock_);
  return fault_;
}

std::string InForce::stamp() const {
  std::string out;
  for (const std::string& file : account::configuration_files(around_.options.config)) {
    out += look_at(file);
  }
  return out;
}

bool InForce::refresh(bool at_once) {
  {
    const std::lock_guard<std::mutex> hold(lock_);
    const std::int64_t now = base::boot_ms();
    if (!at_once && looked_ms_ != 0 && now - looked_ms_ < look_again_ms) return false;
    looked_ms_ = now;
  }
  std::string seen = stamp();
  {
    const std::lock_guard<std::mutex> hold(lock_);
    if (!at_once && read_ && *read_ == seen) return false;
    read_ = std::move(seen);
  }
  base::Result<account::Configuration> loaded = account::load_configuration(
      paths_of(around_, around_.options.config, around_.options.profile));
  const std::lock_guard<std::mutex> hold(lock_);
  if (!loaded) {
    fault_ = loaded.error();
    return false;
  }
  fault_.reset();
  now_ = std::make_shared<const account::Configuration>(std::move(*loaded));
  return true;
}

}  // namespace agent
