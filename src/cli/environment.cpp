#include "cli/environment.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"

namespace cli {

namespace {

std::string variable(const char* name) {
  const char* value = secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// TZ may name any file: only what can be no path outside the zone folder is handed on.
bool is_zone_name(const std::string& zone) {
  if (zone.empty() || zone.size() > 64 || zone[0] == '/' || zone[0] == ':') return false;
  return zone.find("..") == std::string::npos && !base::has_control(zone);
}

// GECOS: the name ends at the first comma; '&' stands for the login, capitalised (finger's old
// rule).
std::string name_of_gecos(const std::string& gecos, const std::string& login) {
  std::string name;
  for (const char c : gecos.substr(0, gecos.find(','))) {
    if (c != '&') {
      name += c;
      continue;
    }
    std::string capitalised = login;
    if (!capitalised.empty() && capitalised[0] >= 'a' && capitalised[0] <= 'z') {
      capitalised[0] = static_cast<char>(capitalised[0] - 'a' + 'A');
    }
    name += capitalised;
  }
  return name;
}

// The folder that an XDG variable asks for, when it is ours; else the usual one below the home.
std::string own_folder(const std::string& asked, const Person& person, const char* below_home) {
  if (!asked.empty() && asked[0] == '/' && base::judge_folder(asked).ok()) return asked;
  return person.home.empty() ? std::string() : person.home + below_home;
}

}  // namespace

Environment read_environment() {
  Environment environment;
  environment.config = variable("MAILBEARER_CONFIG");
  environment.account = variable("MAILBEARER_ACCOUNT");
  environment.socket = variable("MAILBEARER_SOCKET");
  environment.credentials_directory = variable("CREDENTIALS_DIRECTORY");
  environment.data_home = variable("XDG_DATA_HOME");
  environment.state_home = variable("XDG_STATE_HOME");
  environment.zone = variable("TZ");
  if (!is_zone_name(environment.zone)) environment.zone.clear();
  return environment;
}

std::vector<std::string> environment_for_child(const Environment& environment) {
  std::vector<std::string> out;
  const auto pass = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out.push_back(std::string(name) + "=" + value);
  };
  pass("MAILBEARER_ACCOUNT", environment.account);
  pass("CREDENTIALS_DIRECTORY", environment.credentials_directory);
  pass("XDG_DATA_HOME", environment.data_home);
  pass("XDG_STATE_HOME", environment.state_home);
  pass("TZ", environment.zone);
  return out;
}

ServiceEnvironment read_service_environment() {
  ServiceEnvironment out;
  const auto number = [](const char* name) {
    std::int64_t value = 0;
    base::parse_number(variable(name), 0, INT64_MAX, value);
    return value;
  };
  const std::int64_t me = getpid();
  constexpr std::int64_t most_sockets = 64;
  if (number("LISTEN_PID") == me) {
    out.listen_fds = static_cast<int>(std::min(number("LISTEN_FDS"), most_sockets));
  }
  const std::string socket = variable("NOTIFY_SOCKET");
  if (socket.starts_with("/") || socket.starts_with("@")) out.notify_socket = socket;
  const std::int64_t watched = number("WATCHDOG_PID");
  if (watched == 0 || watched == me) out.watchdog_us = number("WATCHDOG_USEC");
  return out;
}

Desk read_desk() {
  Desk desk;
  desk.browser = variable("BROWSER");
  desk.over_ssh = !variable("SSH_CONNECTION").empty() || !variable("SSH_TTY").empty();
  desk.display = !variable("DISPLAY").empty() || !variable("WAYLAND_DISPLAY").empty();
  desk.path = variable("PATH");
  return desk;
}

std::vector<std::string> whole_environment() {
  std::vector<std::string> out;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) out.emplace_back(*each);
  return out;
}

Person person_of(uid_t uid) {
  Person person;
  person.uid = uid;
  const passwd* entry = getpwuid(uid);
  if (entry == nullptr) {
    person.login = "uid" + std::to_string(uid);
    return person;
  }
  person.login = entry->pw_name;
  person.full_name = name_of_gecos(entry->pw_gecos == nullptr ? "" : entry->pw_gecos, person.login);
  person.home = entry->pw_dir == nullptr ? "" : entry->pw_dir;
  return person;
}

std::string default_keyring_dir(const Environment& environment, const Person& person) {
  const std::string data = own_folder(environment.data_home, person, "/.local/share");
  return data.empty() ? std::string() : data + "/mailbearer/keyring";
}

std::string default_state_dir(const Environment& environment, const Person& person,
                              account::Profile profile) {
  if (profile == account::Profile::system) return "/var/lib/mailbearer";
  const std::string state = own_folder(environment.state_home, person, "/.local/state");
  return state.empty() ? std::string() : state + "/mailbearer";
}

std::string runtime_dir(uid_t uid) {
  const std::string folder = "/run/user/" + std::to_string(uid);
  struct stat facts {};
  if (stat(folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return {};
  if (facts.st_uid != uid || (facts.st_mode & 077) != 0) return {};
  return folder + "/mailbearer";
}

std::string runtime_dir(uid_t uid, account::Profile profile) {
  struct stat facts {};
  const char* const of_host = "/run/mailbearer/agent";
  const bool ours = profile == account::Profile::system && lstat(of_host, &facts) == 0 &&
                    S_ISDIR(facts.st_mode) && facts.st_uid == uid && (facts.st_mode & 077) == 0;
  return ours ? std::string(of_host) : runtime_dir(uid);
}

}  // namespace cli
