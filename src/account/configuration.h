// configuration: mailbearer.conf, conf.d and providers.conf, read, merged and checked.
// Source: design section 3. inih is seen in config_file.cpp only. Errors: Fault::config naming
// file, line, key and the nearest known word; a file that others may change names it. One faulty
// [account] disables only itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account/account.h"
#include "base/result.h"

namespace account {

enum class Profile : std::uint8_t { person, system };

struct Configuration {
  std::string file{};  // the main file
  Profile profile = Profile::person;
  std::vector<Account> accounts{};

  // [mailbearer]
  std::string default_account{};
  std::string local_mail_to{};
  std::string aliases = "/etc/aliases";
  std::string domain{};  // empty: /etc/mailname, then the account's domain
  bool agent_none = false;
  Delivery delivery = Delivery::unset;
  std::int64_t temporary_exit = 0;
  std::string log{};            // as written; empty: wherever the host logs
  std::string log_addresses{};  // full, hashed or none
  bool user_profiles = true;
  std::string state_dir{};  // as written, else the default of the profile; empty: none
  std::string runtime_dir{};
  std::string listen_tcp{};
  // Further keys of the design are checked and kept for their rooms.
  std::vector<std::pair<std::string, std::string>> others{};
  std::vector<Setting> settings{};  // every [mailbearer] key in force
};

struct ConfigurationPaths {
  std::string main_file{};       // must exist
  std::string providers_file{};  // providers.conf of the build tree, else installed
  Profile profile = Profile::person;
  std::string default_keyring_dir{};
  std::string default_state_dir{};
  // Of providers.conf only what the accounts name is read and judged: for who is about to send.
  bool needed_providers_only = false;
  std::string site_providers_file{};  // the host's own, behind ours; need not exist
  // Instead of what stands in main_file: a text that has not been written yet.
  std::optional<std::string> main_text{};
};

base::Result<Configuration> load_configuration(const ConfigurationPaths& paths);
// The files that it reads, whether they can be read or not: the main one and those of conf.d.
std::vector<std::string> configuration_files(const std::string& main_file);

// What `config show` prints: every value in force, and where it comes from. No secrets are in it by
// design.
std::string show_configuration(const Configuration& configuration);
// Every fault of the files, not only the first: what `config check` prints. Empty: fine.
std::vector<base::Error> check_configuration(const ConfigurationPaths& paths);

}  // namespace account
