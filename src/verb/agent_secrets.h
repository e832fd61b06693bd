// agent_secrets: the standing agent and the credentials of its accounts. An agent under a user of
// its own seals them itself: what this process has stored is handed to it over the second socket
// and forgotten here. Source: design section 2 ("Nothing but the agent opens ... the system
// keyring"). Errors: those of submit/ask; what the agent refuses. No agent: nothing is done.
#pragma once

#include <optional>

#include "account/account.h"
#include "base/result.h"
#include "base/secret.h"
#include "token/keyring.h"
#include "verb/place.h"

namespace verb {

// Whether an agent of another user serves this profile, so that its keyring is not ours to open.
bool agent_keeps_secrets(const Place& place);
base::Done give_to_agent(const Place& place, const account::Account& account, token::Kind kind,
                         const base::Secret& secret);
// False: there was none.
base::Result<bool> agent_forgets(const Place& place, const std::string& account, token::Kind kind);
base::Result<bool> agent_has(const Place& place, const std::string& account, token::Kind kind);

// After a sign-in: a copy of its credentials, the configuration anew, and what waited for the
// account goes. How many messages that were.
base::Result<std::int64_t> tell_agent(const Place& place, const account::Account& account);
// What was copied, when it is needed here no more.
void forget_here(const Place& place, const account::Account& account);

}  // namespace verb
