#include "agent/verdict.h"

#include "account/choose.h"
#include "account/verify.h"
#include "mail/prepare.h"
#include "report/exit_code.h"
#include "report/tell.h"

namespace agent {

submit::Verdict refusal(const base::Error& error, std::int64_t temporary_exit) {
  submit::Verdict verdict;
  verdict.exit = report::with_temporary_exit(report::exit_code(error.fault), temporary_exit);
  verdict.text = report::tell(error);
  verdict.may_help_to_repeat = error.kind != base::FaultClass::permanent;
  return verdict;
}

submit::Verdict refusal_of(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return refusal(error, account.temporary_exit);
}

submit::Verdict verify(const account::Configuration& configuration,
                       const base::Result<const account::Account*>& chosen,
                       const mail::Submission& submission, const base::Trace& trace) {
  if (!chosen) return refusal(chosen.error(), configuration.temporary_exit);
  const base::Done verified = account::verify(configuration, **chosen, submission, trace);
  return verified ? submit::Verdict{} : refusal_of(verified.error(), **chosen);
}

std::optional<base::Error> never_sent(const account::Configuration& configuration,
                                      const account::Account& account,
                                      const mail::Submission& submission) {
  const auto size = static_cast<std::int64_t>(submission.message.bytes.size_bytes());
  if (account.max_size_bytes > 0 && size > account.max_size_bytes) {
    return base::failure(base::Fault::bad_message,
                         "message is too large (the limit is " +
                             std::to_string(account.max_size_bytes / 1'000'000) + " MB)",
                         "send less, or a link");
  }
  base::Result<mail::Submission> twin = mail::twin_of(submission);
  if (!twin) return std::nullopt;
  const base::Result<mail::Prepared> prepared =
      mail::prepare(std::move(*twin), account::sender_rules(configuration, account));
  if (prepared || prepared.error().kind != base::FaultClass::permanent ||
      prepared.error().fault == base::Fault::bad_recipient) {
    return std::nullopt;
  }
  return prepared.error();
}

base::Error for_queue(base::Error error) {
  if (error.fault == base::Fault::bad_recipient) {
    error.fault = base::Fault::not_permitted;
    error.kind = base::FaultClass::hold;
  }
  return error;
}

base::Result<const account::Account*> chosen_for(const account::Configuration& configuration,
                                                 const queue::Work& work) {
  base::Result<const account::Account*> chosen = base::failure(base::Fault::bug, "no account");
  if (work.resolved) {
    chosen = account::find_account(configuration, work.account);
  } else {
    account::Wish wish;
    wish.peer = work.submission.peer;
    wish.asked = work.submission.asked_account;
    wish.envelope = &work.submission.envelope;
    wish.header = &work.submission.message.header;
    chosen = account::choose(configuration, wish);
  }
  if (chosen && (*chosen)->broken) return *(*chosen)->broken;
  return chosen;
}

}  // namespace agent
