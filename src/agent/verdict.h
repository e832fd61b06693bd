// verdict: an error as the answer to a caller, and the account of a queued message.
#pragma once

#include <cstdint>

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

// The account that a queued message leaves by: the one written down, else the choice of now.
// Fault::config when it is named no more, or faulty.
base::Result<const account::Account*> chosen_for(const account::Configuration& configuration,
                                                 const queue::Work& work);

}  // namespace agent
