#include "verb/place.h"

#include <unistd.h>

#include <utility>

#include "base/process.h"
#include "cli/profile.h"

namespace verb {

Place::Place(const cli::Command& command) : person(cli::person_of(getuid())) {
  const bool root_means_host = getuid() == 0 && environment.config.empty();
  paths.profile = command.profile.value_or(root_means_host ? account::Profile::system
                                                           : account::Profile::person);
  paths.main_file = cli::config_file(environment, person, paths.profile);
  paths.providers_file = cli::providers_file();
  paths.site_providers_file = cli::site_providers_file();
  paths.default_keyring_dir = cli::default_keyring_dir(environment, person);
  helper = std::make_shared<net::HelperProgram>(
      base::sibling_program("mailbearer-helper", MAILBEARER_LIBEXEC),
      cli::environment_for_child(environment));
  paths.default_state_dir = cli::default_state_dir(environment, person, paths.profile);
}

token::KeyringPlaces Place::keyrings() const {
  token::KeyringPlaces places;
  places.credentials_directory = environment.credentials_directory;
  places.helper = [program = helper] { return program->open(); };
  places.may_prompt = isatty(STDERR_FILENO) == 1 && isatty(STDIN_FILENO) == 1;
  return places;
}

std::string Place::runtime_dir(const account::Configuration& configuration) const {
  return configuration.runtime_dir.empty() ? cli::runtime_dir(person.uid, paths.profile)
                                           : configuration.runtime_dir;
}

base::Result<std::vector<account::Account>> accounts_of(const Place& place,
                                                        const std::string& name) {
  base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return std::move(loaded).error();
  if (name.empty()) return std::move(loaded->accounts);
  base::Result<const account::Account*> found = account::find_account(*loaded, name);
  if (!found) return std::move(found).error();
  if ((*found)->broken) return *(*found)->broken;
  return std::vector<account::Account>{**found};
}

}  // namespace verb
