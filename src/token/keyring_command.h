// keyring_command: the keyring of kind `command`: what `secret_command` prints (secret_program) is
// the one secret that the account signs in with; of other kinds there is none. Read only: storing
// and erasing are told as what the person has to do there. Source: design section 5. Errors:
// Fault::unavailable, Fault::config.
#pragma once

#include <string>

#include "token/keyring.h"

namespace token {

class CommandKeyring : public Keyring {
 public:
  explicit CommandKeyring(const account::Account& account);
  base::Result<std::optional<base::Secret>> load(const account::Account& account,
                                                 Kind kind) override;
  base::Done store(const account::Account& account, Kind kind, const base::Secret& secret) override;
  base::Result<bool> erase(const account::Account& account, Kind kind) override;
  base::Result<bool> exchange(const account::Account& account, Kind kind,
                              const base::Secret& expected, const base::Secret& secret) override;
  base::Result<base::Fd> reserve(const account::Account& account, Kind kind) override;
  // Of the command, not of what it prints.
  std::string stamp(const account::Account& account, Kind kind) override;
  std::int64_t changed_s(const account::Account& account, Kind kind) const override;
  std::string describe() const override;

 private:
  std::string typed_;  // as in the configuration
};

}  // namespace token
