// obtain: one account's supply of access tokens: the cache, else one refresh across all processes.
// Source: design section 5; RFC 6749; facts T1-T6, T8. A rotated refresh token is stored before the
// new access token is handed out. The refresh runs beside the SMTP dialogue: start() early, get()
// at AUTH. Errors: Fault::sign_in_needed, Fault::config (hold); Fault::unavailable (temporary),
// with the texts of base/replies; Fault::cannot_create, os and io where this machine cannot keep a
// rotated refresh token or take a lock.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "account/account.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/record.h"
#include "token/keyring.h"

namespace token {

// fresh: the last one was refused; do not offer it again.
enum class Want : bool { usable, fresh };

// Starts the helper and yields a connected socket; reap() when done. The agent's main passes it in.
struct HelperDoor {
  std::function<base::Result<base::Fd>()> open;
};

class Source {
 public:
  struct Places {
    std::string
        runtime_dir{};  // /run/user/UID/mailbearer, or empty: cache beside the refresh token
    KeyringPlaces keyring{};
  };
  Source(const account::Account& account, const Places& places, HelperDoor helper);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  void start();  // begins a refresh when the cache has nothing usable; never waits
  // claims: what the server that refused the last one asks for (JSON), for this one request.
  base::Result<base::Secret> get(Want want, const std::string& claims = {});
  // For auth = plain or login: the stored password.
  base::Result<base::Secret> password();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace token
