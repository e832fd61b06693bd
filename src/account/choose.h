// choose: which account sends, and what it means for the message. Source: design section 3,
// "Choosing the account". Errors: Fault::not_permitted (none matches, allow_users), Fault::config
// (the chosen one is faulty, unknown name).
#pragma once

#include <string>
#include <vector>

#include "account/configuration.h"
#include "base/result.h"
#include "mail/submission.h"

namespace account {

struct Wish {
  mail::Peer peer{};
  std::string asked{};        // --account
  std::string environment{};  // $MAILBEARER_ACCOUNT
  const mail::Envelope* envelope = nullptr;
  const mail::Header* header = nullptr;
};

base::Result<const Account*> choose(const Configuration& configuration, const Wish& wish);

// The account's rules for prepare(): alias file opened lazily, host names, domains.
mail::SenderRules sender_rules(const Configuration& configuration, const Account& account);

}  // namespace account
