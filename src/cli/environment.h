// environment: the only place that reads environment variables (by secure_getenv) and asks who the
// caller is. Believed: MAILBEARER_CONFIG, MAILBEARER_ACCOUNT, MAILBEARER_SOCKET,
// CREDENTIALS_DIRECTORY (systemd), XDG_DATA_HOME and XDG_STATE_HOME (judged before use), TZ (only a
// zone's name). Nothing else: no HOME, no proxy, no CA, no D-Bus variable; for login alone also
// BROWSER, PATH, SSH_CONNECTION, SSH_TTY, DISPLAY and WAYLAND_DISPLAY; for the standing agent what
// systemd passes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "account/configuration.h"

namespace cli {

struct Environment {
  std::string config{};
  std::string account{};
  std::string socket{};
  std::string credentials_directory{};
  std::string data_home{};
  std::string state_home{};
  std::string zone{};
};

Environment read_environment();
// What a child of ours gets: these variables and no others.
std::vector<std::string> environment_for_child(const Environment& environment);

// What systemd tells a service. Only for the standing agent: LISTEN_PID, LISTEN_FDS, NOTIFY_SOCKET,
// WATCHDOG_PID, WATCHDOG_USEC; each believed only if it is meant for this process.
struct ServiceEnvironment {
  int listen_fds = 0;
  std::string notify_socket{};
  std::int64_t watchdog_us = 0;
};
ServiceEnvironment read_service_environment();

// What `mailbearer login` needs to know of the person's desk; read for it alone. A browser is the
// person's own program and gets the person's own environment, all of it.
struct Desk {
  std::string browser{};  // $BROWSER
  bool over_ssh = false;  // $SSH_CONNECTION or $SSH_TTY
  bool display = false;   // $DISPLAY or $WAYLAND_DISPLAY
  std::string path{};     // $PATH
};
Desk read_desk();
std::vector<std::string> whole_environment();

struct Person {
  uid_t uid = 0;
  std::string login{};      // "uid1234" without a passwd entry
  std::string full_name{};  // GECOS up to the first comma, '&' as the capitalised login
  std::string home{};       // by getpwuid, never $HOME; empty without an entry
};
Person person_of(uid_t uid);

// ~/.local/share/mailbearer/keyring, or below $XDG_DATA_HOME when that folder is ours.
std::string default_keyring_dir(const Environment& environment, const Person& person);
// Of the host /var/lib/mailbearer; of a person ~/.local/state/mailbearer, or below $XDG_STATE_HOME
// when that folder is ours. Empty: none.
std::string default_state_dir(const Environment& environment, const Person& person,
                              account::Profile profile);
// /run/user/UID/mailbearer when /run/user/UID is ours; else empty.
std::string runtime_dir(uid_t uid);
// The same; of the host's agent, where that folder is ours, /run/mailbearer/agent.
std::string runtime_dir(uid_t uid, account::Profile profile);

}  // namespace cli
