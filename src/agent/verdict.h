// verdict: an error as the answer to a caller, and the account of a queued message.
#pragma once

#include <cstdint>
#include <optional>

#include "account/configuration.h"
#include "base/error.h"
#include "base/result.h"
#include "base/trace.h"
#include "mail/submission.h"
#include "queue/run.h"
#include "submit/session.h"

namespace agent {

submit::Verdict refusal(const base::Error& error, std::int64_t temporary_exit);
// Of an account: it is named in the text.
submit::Verdict refusal_of(base::Error error, const account::Account& account);

// -bv: told, and not done.
submit::Verdict verify(const account::Configuration& configuration,
                       const base::Result<const account::Account*>& chosen,
                       const mail::Submission& submission, const base::Trace& trace);

// Why this message could never leave by this account: better said to the caller at once than to its
// sender later. A local name that leads nowhere is not meant: that mail is held for a person
// (design section 4).
std::optional<base::Error> never_sent(const account::Configuration& configuration,
                                      const account::Account& account,
                                      const mail::Submission& submission);
// The same name when it is met in the queue: it holds this message, and no other.
base::Error for_queue(base::Error error);

// The account that a queued message leaves by: the one written down, else the choice of now.
// Fault::config when it is named no more, or faulty.
base::Result<const account::Account*> chosen_for(const account::Configuration& configuration,
                                                 const queue::Work& work);

}  // namespace agent
