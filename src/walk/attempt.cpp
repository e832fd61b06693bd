#include "walk/attempt.h"

#include <optional>
#include <utility>

#include "account/choose.h"
#include "base/clock.h"
#include "base/process.h"
#include "mail/prepare.h"
#include "token/obtain.h"
#include "transport/graph.h"
#include "transport/mailbox_pace.h"
#include "transport/message_ids.h"

namespace walk {

namespace {

// The account's tokens and password, and how long they kept us.
class Credentials {
 public:
  // soon: the delivery will ask for a token.
  Credentials(const Stage& stage, const account::Account& account, bool soon)
      : account_(account),
        source_(account, places(stage), {[&stage] { return stage.helper->open(); }}) {
    if (!soon) return;
    // A rotated refresh token must be stored before we may be ended.
    hold();
    source_.start();  // beside the dialogue, which needs it only at AUTH
  }

  base::Result<base::Secret> token(token::Want want, const std::string& claims = {}) {
    const std::int64_t since = base::boot_ms();
    if (want == token::Want::fresh) hold();
    base::Result<base::Secret> token = source_.get(want, claims);
    unstored_.reset();
    waited_ms_ += base::boot_ms() - since;
    return token;
  }

  base::Result<base::Secret> for_auth(bool fresh) {
    if (!account::auth_by_token(account_)) return source_.password();
    return token(fresh ? token::Want::fresh : token::Want::usable);
  }

  std::int64_t waited_ms() const { return waited_ms_; }

 private:
  static token::Source::Places places(const Stage& stage) {
    token::Source::Places places;
    places.runtime_dir = stage.runtime_dir;
    places.keyring.credentials_directory = stage.credentials_directory;
    return places;
  }
  void hold() {
    if (account_.grant == account::Grant::user && !unstored_) unstored_.emplace();
  }

  const account::Account& account_;
  std::optional<base::SignalHold> unstored_{};  // outlives the source, which may be storing yet
  token::Source source_;
  std::int64_t waited_ms_ = 0;
};

// A token for Graph that is not asked for would only rotate the credential of the one for SMTP.
bool needs_token_soon(const account::Account& account, const mail::Prepared& prepared) {
  if (account.transport != account::Transport::graph) return account::auth_by_token(account);
  return account.graph_large != "smtp" || transport::graph_takes(account, prepared.size_bytes());
}

}  // namespace

base::Result<mail::Prepared> Attempt::prepare(mail::Submission submission) {
  const std::int64_t since = base::boot_ms();
  noted_.id = submission.id;
  noted_.uid = submission.peer.uid;
  noted_.sender = submission.envelope.sender.text();
  const account::Configuration& configuration = *stage_.configuration;
  const transport::MessageIds message_ids(configuration.state_dir, account_);
  message_ids.map(submission.message.header);
  base::Result<mail::Prepared> prepared =
      mail::prepare(std::move(submission), account::sender_rules(configuration, account_));
  noted_.before_ms = base::boot_ms() - since;
  return prepared;
}

std::vector<base::Fate> Attempt::carry(mail::Prepared& prepared) {
  noted_.id = prepared.id;
  noted_.sender = prepared.envelope.sender.text();
  noted_.size_bytes = prepared.size_bytes();
  std::vector<base::Fate> fates = deliver(prepared);
  const transport::MessageIds message_ids(stage_.configuration->state_dir, account_);
  message_ids.remember(prepared.message.header, fates);
  return fates;
}

base::Result<std::vector<base::Fate>> Attempt::make(mail::Submission submission) {
  base::Result<mail::Prepared> prepared = prepare(std::move(submission));
  if (prepared && stage_.prepared) {
    base::Done written = stage_.prepared(account_, *prepared);
    if (!written) return std::move(written).error();
  }
  if (!prepared) return std::move(prepared).error();
  return carry(*prepared);
}

std::vector<base::Fate> Attempt::make_again(mail::Prepared& prepared, uid_t uid) {
  noted_.uid = uid;
  return carry(prepared);
}

std::vector<base::Fate> Attempt::deliver(mail::Prepared& prepared) {
  const std::int64_t since = base::boot_ms();
  Credentials credentials(stage_, account_, needs_token_soon(account_, prepared));
  const transport::MailboxPace pace(stage_.runtime_dir, account_);
  net::HelperProgram& helper = *stage_.helper;
  transport::Delivery delivery;
  delivery.account = &account_;
  delivery.message = &prepared;
  delivery.trace = stage_.trace;
  delivery.connections = stage_.connections;
  delivery.all_or_nothing = stage_.all_or_nothing;
  delivery.more_to_come = stage_.more_to_come;
  delivery.before_end = stage_.before_end;
  delivery.pace = &pace;
  delivery.trail = &trail_;
  delivery.reencode = [&helper](const base::Scratch& whole, bool seven_bit) {
    return helper.reencode(whole, seven_bit);
  };
  delivery.ask = [&helper](const net::Record& request, base::Deadline deadline) {
    return helper.ask(request, deadline);
  };
  delivery.token = [&credentials](bool fresh) {
    return credentials.token(fresh ? token::Want::fresh : token::Want::usable);
  };
  delivery.token_claiming = [&credentials](const std::string& claims) {
    return credentials.token(token::Want::fresh, claims);
  };
  delivery.credential = [&credentials](bool fresh) { return credentials.for_auth(fresh); };
  std::vector<base::Fate> fates = transport::deliver(delivery);
  noted_.waited_ms = trail_.waited_ms;
  noted_.token_ms = credentials.waited_ms();
  noted_.dialogue_ms = base::boot_ms() - since - noted_.waited_ms - noted_.token_ms;
  return fates;
}

void Attempt::log(const base::Result<std::vector<base::Fate>>& fates,
                  const std::string& next) const {
  if (stage_.log == nullptr) return;
  report::Attempt attempt = noted_;
  attempt.account = &account_;
  attempt.next = next;
  attempt.client_request_id = trail_.client_request_id;
  attempt.request_id = trail_.request_id;
  std::vector<base::Fate> refused;
  if (fates) {
    attempt.fates = &*fates;
  } else {
    refused.push_back(report::fate_of_all(fates.error()));
    attempt.fates = &refused;
  }
  stage_.log->attempt(attempt);
}

void log_refusal(const report::Log& log, const mail::Submission& submission,
                 const base::Error& error) {
  const std::vector<base::Fate> refused = {report::fate_of_all(error)};
  report::Attempt attempt;
  attempt.id = submission.id;
  attempt.uid = submission.peer.uid;
  attempt.sender = submission.envelope.sender.text();
  attempt.fates = &refused;
  log.attempt(attempt);
}

}  // namespace walk
