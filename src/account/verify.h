// verify: -bv: what would become of a message: its account, transport and sender, and the final
// addresses of each recipient, told line by line; nothing is sent and no server is asked. Source:
// interface facts 3.4. Errors: of the first recipient, or of the sender, that cannot be used; the
// other lines are told all the same.
#pragma once

#include "account/configuration.h"
#include "base/result.h"
#include "base/trace.h"
#include "mail/submission.h"

namespace account {

base::Done verify(const Configuration& configuration, const Account& account,
                  const mail::Submission& submission, const base::Trace& trace);

}  // namespace account
