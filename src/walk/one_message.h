// one_message: a submission by the account that was chosen for it, and, where that one cannot, by
// its fallback: prepared, delivered, logged. Source: docs/architecture.md, "The walk"; design
// sections 2 and 6; docs/decisions/0017. Every entrance and the queue take this way. Errors: those
// of prepare() for the message as a whole; everything later is a fate per recipient. Trusts:
// account::choose, for the account and for who may use it; the fallback is asked anew.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "account/configuration.h"
#include "base/fate.h"
#include "base/result.h"
#include "base/trace.h"
#include "mail/prepare.h"
#include "mail/submission.h"
#include "net/helper_program.h"
#include "report/log.h"
#include "transport/connections.h"

namespace walk {

// What outlives one message. Everything must outlive the walk.
struct Stage {
  const account::Configuration* configuration = nullptr;
  net::HelperProgram* helper = nullptr;
  transport::Connections* connections = nullptr;
  std::string runtime_dir{};  // where the user's processes meet; empty: nowhere
  std::string credentials_directory{};
  const report::Log* log = nullptr;
  base::Trace trace{};
  bool all_or_nothing = true;  // `now` mode
  bool more_to_come = false;
  // For whoever keeps a queue: who will send it and the bytes as they will leave, before anybody is
  // called; and that its end is about to leave (transport/deliver.h). An error of either stops it,
  // and nothing was sent.
  std::function<base::Done(const account::Account& account, const mail::Prepared& prepared)>
      prepared{};
  std::function<base::Done(std::size_t first, std::size_t count)> before_end{};
};

// Who answers for it in the end, and what became of each recipient.
struct Outcome {
  std::string account{};
  std::int64_t temporary_exit = 0;
  base::Result<std::vector<base::Fate>> fates;
};

Outcome send(const Stage& stage, const account::Account& account, mail::Submission submission);
// A message that was prepared at an earlier attempt. `uid`: who submitted it.
Outcome send_again(const Stage& stage, const account::Account& account, mail::Prepared prepared,
                   uid_t uid);

// Leaves a line of a submission that never came to an attempt.
void log_refusal(const report::Log& log, const mail::Submission& submission,
                 const base::Error& error);

}  // namespace walk
