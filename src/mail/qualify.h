// qualify: which mailboxes an account may use and which are this host's, and addresses made whole.
// The part of rewrite.h that knows no policy. Internal to the room.
#pragma once

#include "base/result.h"
#include "mail/address.h"
#include "mail/rewrite.h"

namespace mail {

// With the domain for unqualified senders when it has none.
Mailbox qualified(const SenderRules& rules, Mailbox mailbox);

// The mailbox that signs in, in any spelling of its domain.
bool is_user(const SenderRules& rules, const Mailbox& full);

base::Done domain_to_a_labels(Mailbox& mailbox);

}  // namespace mail
