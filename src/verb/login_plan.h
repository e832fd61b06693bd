// login_plan: what `login` has to know before anybody signs in: from its options, the provider's
// domains, DNS, and questions on a terminal; put into the draft of the account, which shows what is
// still missing. Writes nothing. Without a terminal nothing is asked: Fault::usage names the option
// that is missing. A missing application id: how to register one is told first.
#pragma once

#include <cstdint>
#include <optional>

#include "account/providers.h"
#include "base/secret.h"
#include "verb/call.h"
#include "verb/draft.h"

namespace verb {

struct LoginPlan {
  enum class Way : std::uint8_t { automatic, browser, paste, device };
  Way way = Way::automatic;
  std::int64_t wait_s = 15 * 60;  // for the person
  bool keep_trying = false;       // --wait was given: for a server that does not know us yet
  bool test = true;
  bool graph_too = false;  // --transport auto: Graph where SMTP sign-in is off
  // What has to lie in the keyring before the first request; none: it lies there already, or is
  // not needed.
  std::optional<base::Secret> client_secret{};
  std::optional<base::Secret> password{};
};

// Which account this is about: name, user, provider and grant are in the draft afterwards.
base::Done settle_account(const Call& call, const Place& place, Draft& draft);
// All the rest.
base::Result<LoginPlan> settle_plan(const Call& call, const Place& place, Draft& draft);

// "contoso" for x@contoso.com; "x-contoso" where that is taken.
std::string name_for(const std::string& address, const account::Configuration& configuration);

}  // namespace verb
