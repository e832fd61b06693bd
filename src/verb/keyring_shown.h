// keyring_shown: what `keyring status` shows, as text and as JSON. Pure. No secret is in it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "account/expiry.h"
#include "base/error.h"
#include "doctor/exposure.h"

namespace verb {

struct ShownCredential {
  std::string kind{};   // "refresh-token"
  std::string state{};  // stored, none, file (read from one of its own), unknown
  doctor::Exposure exposure{};
  std::optional<base::Error> error{};
};

struct ShownKeyring {
  std::string account{};
  std::string note{};  // instead of credentials
  std::vector<ShownCredential> credentials{};
  std::vector<account::Ending> endings{};
  std::optional<base::Error> error{};
};

std::string shown_text(const std::vector<ShownKeyring>& all);
std::string shown_json(const std::vector<ShownKeyring>& all);

}  // namespace verb
