#include "transport/smtp_delivery.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "transport/connections.h"
#include "transport/smtp_auth.h"
#include "transport/smtp_commands.h"
#include "transport/smtp_transaction.h"

namespace transport {

namespace {

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

// Whether the recipients may be split over several transactions.
bool may_split(const Delivery& delivery) {
  return !delivery.all_or_nothing && !delivery.account->one_transaction;
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
  if (account.max_recipients > 0 && recipients > limit && !may_split(delivery)) {
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

// As few transactions as the limit allows; one where nothing is to be split.
std::vector<Share> shares(const Delivery& delivery) {
  const std::size_t all = delivery.message->envelope.recipients.size();
  const auto limit = static_cast<std::size_t>(delivery.account->max_recipients);
  if (limit == 0 || all <= limit) return {{0, all}};
  std::vector<Share> out;
  for (std::size_t first = 0; first < all; first += limit) {
    out.push_back({first, std::min(limit, all - first)});
  }
  return out;
}

// An open dialogue that is signed in. A server may close the connection on a refused token; the
// fresh one is then tried on another, once.
base::Result<std::unique_ptr<Dialogue>> session(const Delivery& delivery, Wire& wire,
                                                const Phases& phases) {
  KnownServers* known = delivery.connections != nullptr ? &delivery.connections->known() : nullptr;
  SignIn sign_in(*delivery.account, delivery.credential, known);
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

// One delivery's connections: an idle one first, and a new one where that has ended.
class Way {
 public:
  Way(const Delivery& delivery, Wire& wire, const Phases& phases)
      : delivery_(delivery), wire_(wire), phases_(phases) {}
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;
  ~Way() {
    if (!dialogue_ || !dialogue_->open_still()) return;
    if (keeps()) {
      delivery_.connections->keep(*delivery_.account, std::move(dialogue_));
    } else {
      dialogue_->quit();
    }
  }

  std::vector<base::Fate> send(Share share, bool last) {
    Transaction::Manner manner;
    manner.last = last && !keeps();
    for (bool anew = false;;) {
      base::Done open = ready(anew);
      if (!open) return fates_of(share, std::move(open).error());
      manner.chunks = manner.chunks && !refuses_chunks();
      Transaction transaction(*dialogue_, delivery_, share, manner);
      std::vector<base::Fate> fates = transaction.run();
      dialogue_->rest();
      if (transaction.wants_data() && manner.chunks) {
        note_chunks();
        manner.chunks = false;
      } else if (!transaction.stale() || anew) {
        return fates;
      }
      anew = true;
    }
  }

 private:
  bool keeps() const { return delivery_.connections != nullptr && delivery_.more_to_come; }

  bool refuses_chunks() const {
    return delivery_.connections != nullptr &&
           delivery_.connections->known().refuses(dialogue_->server(),
                                                  KnownServers::Refusal::chunks);
  }
  void note_chunks() {
    if (delivery_.connections == nullptr) return;
    delivery_.connections->known().note(dialogue_->server(), KnownServers::Refusal::chunks);
  }

  base::Done ready(bool anew) {
    if (dialogue_ && dialogue_->silent() && !anew) {
      dialogue_->begin(*delivery_.account, phases_, delivery_.trace);
      return base::done();
    }
    dialogue_.reset();
    if (delivery_.connections != nullptr && !anew) {
      dialogue_ = delivery_.connections->take(*delivery_.account);
    }
    if (dialogue_) {
      dialogue_->begin(*delivery_.account, phases_, delivery_.trace);
      return base::done();
    }
    base::Result<std::unique_ptr<Dialogue>> made = session(delivery_, wire_, phases_);
    if (!made) return std::move(made).error();
    dialogue_ = std::move(*made);
    return base::done();
  }

  std::vector<base::Fate> fates_of(Share share, base::Error error) const {
    error = of_account(std::move(error), *delivery_.account);
    std::vector<base::Fate> out;
    for (std::size_t i = share.first; i < share.first + share.count; ++i) {
      out.push_back(fate_of(delivery_.message->envelope.recipients[i], error));
    }
    return out;
  }

  const Delivery& delivery_;
  Wire& wire_;
  const Phases& phases_;
  std::unique_ptr<Dialogue> dialogue_;
};

}  // namespace

std::vector<base::Fate> deliver_by_smtp(const Delivery& delivery, Wire& wire,
                                        const Phases& phases) {
  base::Done fit = judge_before(delivery);
  if (!fit) {
    return same_fate(delivery.message->envelope,
                     of_account(std::move(fit).error(), *delivery.account));
  }
  Way way(delivery, wire, phases);
  std::vector<base::Fate> fates;
  const std::vector<Share> all = shares(delivery);
  for (const Share& share : all) {
    std::vector<base::Fate> some = way.send(share, &share == &all.back());
    std::move(some.begin(), some.end(), std::back_inserter(fates));
  }
  return fates;
}

}  // namespace transport
