// secret_program: the programs that `secret_command` and `access_token_command` name. Source:
// design section 3; docs/decisions/0025. They get HOME, USER, LOGNAME and SHELL of the passwd
// entry, PATH, LANG=C.UTF-8, XDG_RUNTIME_DIR and DBUS_SESSION_BUS_ADDRESS where /run/user/UID is
// ours, MAILBEARER_ACCOUNT and MAILBEARER_SECRET; nothing of the caller's environment. The first
// line that is printed counts. Errors: those of base/program_output, with the account and a cure;
// Fault::config where the line cannot be a secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account/account.h"
#include "base/result.h"
#include "base/secret.h"
#include "token/keyring.h"

namespace token {

// The secret that an account signs in with: a refresh token, client secret or password, or the
// passphrase of its key. Nothing: what it signs in with is no secret of a keyring.
std::optional<Kind> signs_in_with(const account::Account& account);

base::Result<base::Secret> run_secret_command(const account::Account& account);

struct CommandToken {
  base::Secret token{};
  std::int64_t expires_s = 0;  // wall clock; 0: not said
};
// A second line may say how long it lives: seconds, or the moment as seconds since 1970.
base::Result<CommandToken> run_access_token_command(const account::Account& account);

std::vector<std::string> environment_for_program(const account::Account& account,
                                                 const std::string& wanted);

}  // namespace token
