// exposure: where a credential lies, and who gets at it: said as it is, without comfort. Pure but
// for the look at the mode of a secret's own file. Source: issue 5 part 2; facts (reliability) 2.2.
#pragma once

#include <cstdint>
#include <string>

#include "account/account.h"
#include "token/keyring.h"

namespace doctor {

enum class Safety : std::uint8_t { safe, depends, open };

struct Threat {
  Safety safety = Safety::open;
  std::string why{};
};

struct Exposure {
  std::string where{};  // "file /home/a/.local/share/mailbearer/keyring"
  Threat stolen{};      // disk, full backup, image of the machine
  Threat copy{};        // a copy of the store alone: support bundle, backup without the key
  Threat other_user{};
  Threat same_user{};
  Threat root{};
};

const char* safety_word(Safety safety);  // "safe", "it depends", "not safe"

// `keyring`: as Keyring::describe says. `key_from_systemd`: the key of keyring = file comes from
// $CREDENTIALS_DIRECTORY.
Exposure exposure_of(const account::Account& account, token::Kind kind, const std::string& keyring,
                     bool key_from_systemd);

// Of a secret or key that lies in a file as it is.
Exposure exposure_of_file(const std::string& path);

}  // namespace doctor
