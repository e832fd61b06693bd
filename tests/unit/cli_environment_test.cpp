#include "cli/environment.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "catch.h"

using account::Profile;

TEST_CASE("environment: the state of a host and of a person", "[cli]") {
  cli::Environment environment;
  cli::Person person;
  person.home = "/home/me";
  CHECK(cli::default_state_dir(environment, person, Profile::system) == "/var/lib/mailbearer");
  CHECK(cli::default_state_dir(environment, person, Profile::person) ==
        "/home/me/.local/state/mailbearer");
  person.home.clear();
  CHECK(cli::default_state_dir(environment, person, Profile::person).empty());
  environment.state_home = "/";
  CHECK(cli::default_state_dir(environment, person, Profile::system) == "/var/lib/mailbearer");
}

TEST_CASE("environment: XDG_STATE_HOME counts when nobody else may write it", "[cli]") {
  char pattern[] = "/tmp/mailbearer-state-XXXXXX";
  const std::string folder = mkdtemp(pattern);
  cli::Environment environment;
  cli::Person person;
  person.home = "/home/me";
  const auto chosen = [&](const std::string& asked) {
    environment.state_home = asked;
    return cli::default_state_dir(environment, person, Profile::person);
  };
  const std::string usual = "/home/me/.local/state/mailbearer";
  CHECK(chosen(folder) == folder + "/mailbearer");
  CHECK(chosen(folder + "/missing") == usual);
  CHECK(chosen("tmp") == usual);
  chmod(folder.c_str(), 0777);
  CHECK(chosen(folder) == usual);
  std::filesystem::remove_all(folder);
}

TEST_CASE("environment: a child gets what the agent reads, and nothing that is empty", "[cli]") {
  cli::Environment environment;
  CHECK(cli::environment_for_child(environment).empty());
  environment.config = "/c";
  environment.socket = "/s";
  environment.state_home = "/state";
  environment.data_home = "/data";
  std::vector<std::string> child = cli::environment_for_child(environment);
  std::sort(child.begin(), child.end());
  CHECK(child == std::vector<std::string>{"XDG_DATA_HOME=/data", "XDG_STATE_HOME=/state"});
}
