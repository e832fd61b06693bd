#include "walk/one_message.h"

#include <optional>
#include <utility>

#include "account/choose.h"
#include "base/clock.h"
#include "transport/detour.h"
#include "walk/attempt.h"

namespace walk {

namespace {

using Detour = base::Fate::Detour;

bool may_turn_aside(const account::Account& account) {
  const bool graph = account.transport == account::Transport::graph;
  return !account.fallback.empty() || (graph && account.graph_large == "smtp");
}

// The account for the other way, if there is one.
base::Result<std::optional<account::Account>> other_account(const Stage& stage,
                                                            const account::Account& account,
                                                            const mail::Peer& peer, Detour detour) {
  std::optional<account::Account> other;
  base::Result<const account::Account*> named =
      account::fallback_of(*stage.configuration, account, peer);
  if (!named) return std::move(named).error();
  if (*named != nullptr) {
    other = **named;
  } else if (detour == Detour::fallback_or_smtp && account::has_own_smtp(account)) {
    other = account::as_smtp(account);
  }
  return other;
}

const base::Error& first_error(const std::vector<base::Fate>& fates) {
  return fates.front().error;
}

// Says why it was not the chosen account that failed last.
base::Error told_of(base::Error error, const account::Account& chosen, const base::Error& why) {
  const std::string reason = "in place of " + chosen.name + " (" + why.cause + ")";
  error.cure = error.cure.empty() ? reason : error.cure + "; " + reason;
  return error;
}

void tell_why(Outcome& outcome, const account::Account& chosen, const base::Error& why) {
  if (!outcome.fates) {
    outcome.fates = told_of(outcome.fates.error(), chosen, why);
    return;
  }
  for (base::Fate& fate : *outcome.fates) {
    if (fate.state != base::Fate::State::delivered) fate.error = told_of(fate.error, chosen, why);
  }
}

Outcome outcome_of(const account::Account& account, base::Result<std::vector<base::Fate>> fates) {
  return {account.name, account.temporary_exit, std::move(fates)};
}

}  // namespace

Outcome send_again(const Stage& stage, const account::Account& account, mail::Prepared prepared,
                   uid_t uid) {
  Attempt attempt(stage, account);
  base::Result<std::vector<base::Fate>> fates = attempt.make_again(prepared, uid);
  attempt.log(fates);
  return outcome_of(account, std::move(fates));
}

Outcome send(const Stage& stage, const account::Account& account, mail::Submission submission) {
  std::optional<mail::Submission> twin;
  if (may_turn_aside(account)) {
    base::Result<mail::Submission> second = mail::twin_of(submission);
    if (!second) return outcome_of(account, std::move(second).error());
    twin = std::move(*second);
  }
  Attempt first(stage, account);
  base::Result<std::vector<base::Fate>> fates = first.make(std::move(submission));
  const Detour detour = fates && twin ? transport::detour_of(*fates) : Detour::none;
  if (detour == Detour::none) {
    first.log(fates);
    return outcome_of(account, std::move(fates));
  }
  base::Result<std::optional<account::Account>> other =
      other_account(stage, account, twin->peer, detour);
  first.log(fates, other && *other ? (*other)->name : std::string());
  if (other && !other->has_value()) return outcome_of(account, std::move(fates));
  const base::Error why = first_error(*fates);
  if (!other) {
    Outcome refused = outcome_of(account, std::move(other).error());
    tell_why(refused, account, why);
    return refused;
  }
  base::tell(stage.trace, "* " + account.name + ": " + why.cause + "; now by " + (*other)->name +
                              ((*other)->name == account.name ? ", SMTP" : ""));
  Attempt second(stage, **other);
  base::Result<std::vector<base::Fate>> last = second.make(std::move(*twin));
  second.log(last);
  Outcome outcome = outcome_of(**other, std::move(last));
  tell_why(outcome, account, why);
  return outcome;
}

}  // namespace walk
