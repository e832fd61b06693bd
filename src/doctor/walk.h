// walk: the way of a message, step by step, without sending one: account, keyring, token, network,
// TLS, AUTH. Each step says what was found and, where it fails, what to do; the steps behind a
// failed one that they need are left out. Source: design section 7; the cures are those of
// base/replies. Asks the token endpoint and the server as a delivery would. Errors: none as a call.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "account/account.h"
#include "base/error.h"
#include "token/keyring.h"
#include "token/obtain.h"

namespace doctor {

struct Step {
  std::string name{};   // "token"
  std::string found{};  // "good for 59 minutes"
  std::optional<base::Error> fault{};
};

struct Bag {
  token::Source::Places places{};
  token::HelperDoor helper{};
};

// `tell` is called with each step as it ends.
void walk(const account::Account& account, const Bag& bag,
          const std::function<void(const Step&)>& tell);

}  // namespace doctor
