#include "transport/smtp_delivery.h"

#include <memory>
#include <string>
#include <utility>

#include "transport/smtp_auth.h"
#include "transport/smtp_transaction.h"

namespace transport {

namespace {

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

// What needs no server to be known.
base::Done judge_before(const Delivery& delivery) {
  const account::Account& account = *delivery.account;
  const std::size_t recipients = delivery.message->envelope.recipients.size();
  if (account.smtp_tls == account::SmtpTls::none && account.auth != account::Auth::none) {
    return base::failure(base::Fault::config, "smtp_tls = none sends no sign-in",
                         "set smtp_tls = starttls, or auth = none");
  }
  const auto limit = static_cast<std::size_t>(account.max_recipients);
  if (account.max_recipients > 0 && recipients > limit) {
    return base::failure(base::Fault::bad_message,
                         "too many recipients for one message (" + std::to_string(recipients) +
                             ", the limit is " + std::to_string(limit) + ")",
                         "send it to fewer recipients");
  }
  const auto max_size = static_cast<std::uint64_t>(account.max_size_bytes);
  const std::uint64_t size = delivery.message->size_bytes();
  if (account.max_size_bytes > 0 && size > max_size) {
    return too_large(size, max_size, "the account");
  }
  return base::done();
}

// An open dialogue that is signed in. A server may close the connection on a refused token; the
// fresh one is then tried on another, once.
base::Result<std::unique_ptr<Dialogue>> session(const Delivery& delivery, Wire& wire,
                                                const Phases& phases) {
  SignIn sign_in(*delivery.account, delivery.credential);
  for (bool again = false;; again = true) {
    auto dialogue = std::make_unique<Dialogue>(*delivery.account, phases, delivery.trace);
    base::Done opened = dialogue->open(wire);
    if (!opened) return std::move(opened).error();
    if (delivery.account->auth == account::Auth::none) return dialogue;
    base::Done signed_in = sign_in.run(*dialogue);
    if (signed_in) return dialogue;
    dialogue->quit();
    if (again || !sign_in.wants_connection()) return std::move(signed_in).error();
  }
}

}  // namespace

std::vector<base::Fate> deliver_by_smtp(const Delivery& delivery, Wire& wire,
                                        const Phases& phases) {
  const mail::Envelope& envelope = delivery.message->envelope;
  base::Done fit = judge_before(delivery);
  if (!fit) return same_fate(envelope, of_account(std::move(fit).error(), *delivery.account));
  base::Result<std::unique_ptr<Dialogue>> dialogue = session(delivery, wire, phases);
  if (!dialogue) {
    return same_fate(envelope, of_account(std::move(dialogue).error(), *delivery.account));
  }
  return Transaction(**dialogue, delivery).run();
}

}  // namespace transport
