// hand_in: the last step of every front end: a whole message to the agent that serves this caller,
// and its verdict; and the From that only the front end can add. Source: design section 2. Errors:
// those of cli/profile (78: no account on this host) and submit/door (69, 71); what the agent says
// is an Outcome. Each message has its own agent, unless one listens: nothing is held between two.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/environment.h"
#include "mail/address.h"
#include "mail/message.h"
#include "submit/hand_over.h"

namespace front {

base::Result<submit::Outcome> hand_in(submit::Handover& handover, const cli::Person& person);

// A From for a message that has none, or an empty one: the chosen sender (the bare address, unless
// a name was given), else the login name, unqualified, with the name of the user database. True: it
// was added.
bool add_from(mail::Message& message, const cli::Person& person,
              const std::optional<mail::Mailbox>& sender,
              const std::optional<std::string>& full_name);

}  // namespace front
