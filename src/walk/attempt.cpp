#include "walk/attempt.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "account/choose.h"
#include "base/clock.h"
#include "base/crypto_library.h"
#include "base/process.h"
#include "mail/prepare.h"
#include "token/obtain.h"
#include "transport/message_ids.h"
#include "transport/pace.h"

namespace walk {

namespace {

// The next message of a session may be another account's.
bool reads_keys(const account::Configuration& configuration) {
  const auto& all = configuration.accounts;
  return std::any_of(all.begin(), all.end(), [](const account::Account& one) {
    return !one.tls_client_certificate.empty();
  });
}

// The account's tokens and password, and how long they kept us.
class Credentials {
 public:
  Credentials(const Stage& stage, const account::Account& account)
      : account_(account),
        source_(account, places(stage), {[&stage] { return stage.helper->open(); }}) {
    const bool graph = account.transport == account::Transport::graph;
    if (!graph && !account::auth_by_token(account)) return;
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

}  // namespace

base::Result<std::vector<base::Fate>> Attempt::make(mail::Submission submission) {
  const std::int64_t since = base::boot_ms();
  noted_.id = submission.id;
  noted_.uid = submission.peer.uid;
  noted_.sender = submission.envelope.sender.text();
  const account::Configuration& configuration = *stage_.configuration;
  // Before anything is unsealed: one message wants few algorithms, and no key of a file.
  base::start_crypto(reads_keys(configuration) ? base::Crypto::whole : base::Crypto::narrow);
  const transport::MessageIds message_ids(configuration.state_dir, account_);
  message_ids.map(submission.message.header);
  base::Result<mail::Prepared> prepared =
      mail::prepare(std::move(submission), account::sender_rules(configuration, account_));
  noted_.before_ms = base::boot_ms() - since;
  if (!prepared) return std::move(prepared).error();
  if (stage_.keeping != nullptr) {
    base::Done written = stage_.keeping->resolved(account_, *prepared);
    if (!written) return std::move(written).error();
  }
  return hand_over(*prepared);
}

base::Result<std::vector<base::Fate>> Attempt::make_again(mail::Prepared prepared, uid_t uid) {
  noted_.id = prepared.id;
  noted_.uid = uid;
  return hand_over(prepared);
}

base::Result<std::vector<base::Fate>> Attempt::hand_over(mail::Prepared& prepared) {
  noted_.sender = prepared.envelope.sender.text();
  noted_.size_bytes = prepared.size_bytes();
  base::Result<std::vector<base::Fate>> fates = deliver(prepared);
  if (fates) {
    const transport::MessageIds message_ids(stage_.configuration->state_dir, account_);
    message_ids.remember(prepared.message.header, *fates);
  }
  return fates;
}

base::Result<std::vector<base::Fate>> Attempt::deliver(mail::Prepared& prepared) {
  const std::int64_t since = base::boot_ms();
  Credentials credentials(stage_, account_);
  const transport::Pace pace(stage_.runtime_dir, account_);
  net::HelperProgram& helper = *stage_.helper;
  transport::Delivery delivery;
  delivery.account = &account_;
  delivery.message = &prepared;
  delivery.trace = stage_.trace;
  delivery.connections = stage_.connections;
  delivery.more_to_come = stage_.more_to_come;
  if (stage_.keeping != nullptr) {
    delivery.all_or_nothing = false;
    delivery.before_end = stage_.keeping->before_end;
  }
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
