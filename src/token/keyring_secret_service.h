// keyring_secret_service: the keyring of kind `secret-service`: the session's own (gnome-keyring,
// KWallet, KeePassXC), asked through mailbearer-helper, which alone links libsecret
// (token/secret_service). Source: design section 5; facts (reliability) 7, 8, T9; decision 0024.
// Owns: one helper, kept for the next call; a lock and a stamp file in the account's keyring_dir,
// neither of which holds a secret. Every call has 5 s; with a person there, two minutes. Errors:
// Fault::unavailable (no bus, no service, locked, too slow), Fault::config (other settings). No
// error ever erases anything.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "net/record.h"
#include "token/keyring.h"

namespace token {

constexpr std::int64_t service_ms = 5000;
constexpr std::int64_t service_with_person_ms = 120'000;

// "/run/user/1000/bus": the only bus that is asked.
std::string session_bus(uid_t uid);

class SecretServiceKeyring : public Keyring {
 public:
  SecretServiceKeyring(const account::Account& account, const KeyringPlaces& places)
      : places_(places), folder_(account.keyring_dir) {}
  base::Result<std::optional<base::Secret>> load(const account::Account& account,
                                                 Kind kind) override;
  base::Done store(const account::Account& account, Kind kind, const base::Secret& secret) override;
  base::Result<bool> erase(const account::Account& account, Kind kind) override;
  base::Result<bool> exchange(const account::Account& account, Kind kind,
                              const base::Secret& expected, const base::Secret& secret) override;
  // Nothing: the service has no way to keep room. That it is open was shown by the load before.
  base::Result<base::Fd> reserve(const account::Account& account, Kind kind) override;
  // Of a file that each of our own changes writes anew: asking the service costs a program start.
  std::string stamp(const account::Account& account, Kind kind) override;
  std::int64_t changed_s(const account::Account& account, Kind kind) const override;
  std::string describe() const override;

 private:
  base::Result<net::Record> ask(const account::Account& account, Kind kind, net::Record request);
  base::Done put(const account::Account& account, Kind kind, const base::Secret& secret);
  base::Result<base::Fd> locked();
  std::string stamp_path(const account::Account& account, Kind kind) const;
  void stamp_anew(const account::Account& account, Kind kind) const;

  KeyringPlaces places_;
  std::string folder_;
  base::Fd channel_;
};

}  // namespace token
