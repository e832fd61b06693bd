// choose: which account sends, and what it means for the message. Source: design section 3,
// "Choosing the account". Only accounts whose allow_users admits the peer take part (root is always
// admitted, a TCP peer is @listen). In this order:
//   1. --account: that one or an error.
//   2. the envelope sender, if one was given and is not <>, against `from`; 3. the header From.
//      An exact address beats *@domain, which beats *; among equals `default` wins, else the first
//      in the file. An unqualified sender is completed with the sender domain first.
//   4. default_for; 5. $MAILBEARER_ACCOUNT; 6. `default`; else the only account there is for the
//      peer.
// A sender that nobody may use and that is an address elsewhere ("me@kernel.org") goes to the
// account of 4 to 6 if that one rewrites (rewrite_from auto, always) and is refused otherwise. A
// sender without domain or of this host ("root@vm") asks for no account in particular: what becomes
// of it is rewrite_from's business in mail/rewrite.
// Errors: Fault::not_permitted (no account matches, allow_users), Fault::config (the chosen one is
// faulty, unknown name, no account at all).
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

// The account that `fallback` of this one names; null: none. Policy is asked anew: it must admit
// the peer and be sound. What its `from` and rewrite_from mean is prepare()'s business, as ever.
// Errors: as above, with the fallback's name.
base::Result<const Account*> fallback_of(const Configuration& configuration, const Account& account,
                                         const mail::Peer& peer);

// The account of that name, or Fault::config with the nearest known one.
base::Result<const Account*> find_account(const Configuration& configuration,
                                          const std::string& name);

// The account's rules for prepare(). sender_domain: `domain`, else /etc/mailname, else the domain
// of `user`. local_domains: localhost, the host's name and its first label; /etc/mailname is a name
// for senders, not a local domain. The alias file is opened when the first local recipient is
// looked up; a local name at which it ends goes to local_mail_to.
mail::SenderRules sender_rules(const Configuration& configuration, const Account& account);

}  // namespace account
