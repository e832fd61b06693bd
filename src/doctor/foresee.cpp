#include "doctor/foresee.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"

namespace doctor {

namespace {

using account::Account;
using base::Error;
using base::Fault;

// "FILE:LINE" of the key where it is written, else of the section.
std::string where(const Account& account, const std::string& key) {
  for (const account::Setting& setting : account.settings) {
    if (setting.key == key && setting.source != "default") return setting.source;
  }
  return account.where;
}

bool answers(const std::string& path) {
  const base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (!socket.open() || path.size() >= sizeof name.sun_path) return false;
  path.copy(static_cast<char*>(name.sun_path), sizeof name.sun_path - 1);
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
}

struct Findings {
  const Account& account;
  std::vector<Error>& out;

  void add(Fault fault, const std::string& key, const std::string& cause, const std::string& cure) {
    out.push_back(base::failure(fault, where(account, key) + ": " + cause, cure));
  }
  void file(const char* key, const std::string& path) {
    if (path.empty()) return;
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0) {
      add(Fault::config, key, std::string(key) + " " + path + " is not there", "check the path");
    } else if (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode)) {
      add(Fault::config, key, std::string(key) + " " + path + " is no file", "check the path");
    } else if (access(path.c_str(), R_OK) != 0) {
      add(Fault::config, key, std::string(key) + " " + path + " cannot be read by this user",
          "check owner and mode");
    }
  }
  void program(const char* key, const std::vector<std::string>& argv) {
    if (argv.empty() || access(argv.front().c_str(), X_OK) == 0) return;
    add(Fault::config, key, std::string(key) + " names " + argv.front() + ", which cannot be run",
        "install it, or correct the path");
  }
};

void files_and_programs(Findings& findings) {
  const Account& account = findings.account;
  findings.file("ca_file", account.ca_file);
  findings.file("tls_client_certificate", account.tls_client_certificate);
  findings.file("client_secret_file", account.client_secret_file);
  findings.file("refresh_token_file", account.refresh_token_file);
  findings.file("password_file", account.password_file);
  findings.file("federated_token_file", account.federated_token_file);
  findings.file("app_certificate", account.app_certificate);
  findings.file("app_key", account.app_key);
  findings.program("secret_command", account.secret_command);
  findings.program("access_token_command", account.access_token_command);
}

void delivery(Findings& findings, const ForeseePlaces& places) {
  const Account& account = findings.account;
  if (account.delivery != account::Delivery::queue &&
      account.delivery != account::Delivery::now_else_queue) {
    return;
  }
  if (std::any_of(places.sockets.begin(), places.sockets.end(), answers)) return;
  const char* value = account.delivery == account::Delivery::queue ? "queue" : "now-else-queue";
  findings.add(Fault::unavailable, "delivery",
               std::string("delivery = ") + value + " needs an agent, and none is running",
               "start the agent, or set delivery = now");
}

void keyring(Findings& findings, const ForeseePlaces& places) {
  if (findings.account.keyring != account::Keyring::secret_service) return;
  if (access(places.helper.c_str(), X_OK) != 0) {
    findings.add(Fault::config, "keyring",
                 "keyring = secret-service needs " + places.helper + ", which is not there",
                 "install it, or set keyring = file");
  } else if (!answers(places.session_bus)) {
    findings.add(
        Fault::unavailable, "keyring",
        "keyring = secret-service, and this session has no D-Bus (" + places.session_bus + ")",
        "start a desktop session, or set keyring = file");
  }
}

}  // namespace

std::vector<Error> foresee(const account::Configuration& configuration,
                           const ForeseePlaces& places) {
  std::vector<Error> out;
  for (const Account& account : configuration.accounts) {
    if (account.broken) continue;
    Findings findings{account, out};
    files_and_programs(findings);
    delivery(findings, places);
    keyring(findings, places);
  }
  return out;
}

}  // namespace doctor
