#include "account/choose.h"

#include <algorithm>
#include <optional>

#include "account/host.h"
#include "account/policy.h"
#include "account/section.h"
#include "base/text.h"

namespace account {

namespace {

using base::Error;
using base::Fault;
using Accounts = std::vector<const Account*>;

constexpr std::size_t names_shown = 8;

std::string names_of(const Accounts& accounts) {
  std::string out;
  for (std::size_t i = 0; i < accounts.size() && i < names_shown; ++i) {
    out += (i == 0 ? "" : ", ") + accounts[i]->name;
  }
  return accounts.size() > names_shown ? out + ", ..." : out;
}

Error may_not_use(const Account& account, const mail::Peer& peer) {
  const std::string who = peer_word(peer);
  Error error = base::failure(
      Fault::not_permitted,
      (peer.over_network ? std::string("a peer over the network") : "local user " + who) +
          " may not use this account",
      "add " + who + " to allow_users in " + account.allow_users_where);
  error.account = account.name;
  return error;
}

// How closely a pattern of `from` must fit.
enum class Fit : std::uint8_t { address, domain, anything };

Fit fit_of(const std::string& pattern) {
  if (pattern == "*") return Fit::anything;
  return pattern.rfind("*@", 0) == 0 ? Fit::domain : Fit::address;
}

class Chooser {
 public:
  Chooser(const Configuration& configuration, const Wish& wish)
      : configuration_(configuration), wish_(wish) {
    for (const Account& account : configuration.accounts) {
      all_.push_back(&account);
      if (admits(account, wish.peer)) admitted_.push_back(&account);
    }
  }

  base::Result<const Account*> run() {
    if (all_.empty()) {
      return base::failure(Fault::config, "no [account] section in " + configuration_.file,
                           "add one, or run: mailbearer login");
    }
    if (!wish_.asked.empty()) return by_name(wish_.asked);
    for (const auto& sender : {envelope_sender(), header_sender()}) {
      if (!sender) continue;
      if (const Account* account = by_sender(admitted_, *sender)) return sound(*account);
      if (!foreign_ && names_somebody(*sender)) foreign_ = sender;
    }
    return without_sender();
  }

 private:
  base::Result<const Account*> sound(const Account& account) const {
    if (account.broken) return *account.broken;
    return &account;
  }

  base::Result<const Account*> by_name(const std::string& name) const {
    base::Result<const Account*> found = find_account(configuration_, name);
    if (!found) return found;
    if (!admits(**found, wish_.peer)) return may_not_use(**found, wish_.peer);
    return sound(**found);
  }

  std::optional<mail::Mailbox> envelope_sender() const {
    if (!wish_.envelope || !wish_.envelope->sender_given || wish_.envelope->sender.null()) {
      return std::nullopt;
    }
    return wish_.envelope->sender;
  }

  std::optional<mail::Mailbox> header_sender() const {
    const mail::Field* from = wish_.header ? wish_.header->find("From") : nullptr;
    if (!from) return std::nullopt;
    const auto list = mail::parse_address_list(mail::unfold(from->body));
    if (!list || list->empty() || list->front().mailbox.null()) return std::nullopt;
    return list->front().mailbox;
  }

  // Of `domain`, /etc/mailname and the account's own: the first there is.
  mail::Mailbox completed(const mail::Mailbox& sender, const Account& account) {
    if (sender.qualified()) return sender;
    if (!sender_domain_) {
      sender_domain_ = configuration_.domain.empty() ? mail_name() : configuration_.domain;
    }
    mail::Mailbox out = sender;
    out.domain = sender_domain_->empty() ? domain_of_user(account) : *sender_domain_;
    return out;
  }

  bool may_send_as(const Account& account, const mail::Mailbox& sender, Fit fit) {
    mail::SenderRules rules;
    // The user always counts, and is an address.
    base::Result<mail::Mailbox> user = mail::parse_mailbox(account.user);
    if (!user) return false;
    rules.user = std::move(*user);
    for (const std::string& pattern : account.from) {
      if (fit_of(pattern) == fit) rules.from.push_back(pattern);
    }
    return mail::matches_from(rules, completed(sender, account));
  }

  const Account* by_sender(const Accounts& accounts, const mail::Mailbox& sender) {
    for (const Fit fit : {Fit::address, Fit::domain, Fit::anything}) {
      const Account* first = nullptr;
      for (const Account* account : accounts) {
        if (!may_send_as(*account, sender, fit)) continue;
        if (account->name == configuration_.default_account) return account;
        if (!first) first = account;
      }
      if (first) return first;
    }
    return nullptr;
  }

  bool names_somebody(const mail::Mailbox& sender) const {
    if (!sender.qualified()) return false;
    const std::vector<std::string> local = host_domains(Account());
    return std::find(local.begin(), local.end(), base::lower(sender.domain)) == local.end();
  }

  // Steps 4 to 6; nothing: none of them names an account that admits the peer.
  base::Result<const Account*> fallback() const {
    for (const Account* account : admitted_) {
      if (!account->default_for.empty() && is_listed(account->default_for, wish_.peer)) {
        return account;
      }
    }
    if (!wish_.environment.empty()) {
      base::Result<const Account*> found = find_account(configuration_, wish_.environment);
      if (!found) return found;
      if (!admits(**found, wish_.peer)) return may_not_use(**found, wish_.peer);
      return found;
    }
    for (const Account* account : admitted_) {
      if (account->name == configuration_.default_account) return account;
    }
    const Account* only = admitted_.size() == 1 ? admitted_.front() : nullptr;
    return only;
  }

  base::Result<const Account*> without_sender() {
    if (admitted_.empty()) return nobody_admitted();
    base::Result<const Account*> found = fallback();
    if (!found) return found;
    const Account* account = *found;
    const bool rewrites = account && account->rewrite_from != mail::SenderRules::RewriteFrom::never;
    if (foreign_ && !rewrites && !(account && account->broken)) return no_account_for(*foreign_);
    if (account) return sound(*account);
    return base::failure(Fault::not_permitted,
                         "no account is the default (accounts: " + names_of(admitted_) + ")",
                         "set default in " + configuration_.file + ", or use --account");
  }

  Error nobody_admitted() {
    const Account* meant = foreign_ ? by_sender(all_, *foreign_) : nullptr;
    for (const Account* account : all_) {
      if (!meant && account->name == configuration_.default_account) meant = account;
    }
    return may_not_use(meant ? *meant : *all_.front(), wish_.peer);
  }

  Error no_account_for(const mail::Mailbox& sender) {
    if (const Account* other = by_sender(all_, sender)) return may_not_use(*other, wish_.peer);
    return base::failure(Fault::not_permitted,
                         "no account may send as " + base::clean(sender.text(), 254) +
                             " (accounts: " + names_of(admitted_) + ")",
                         "add it to `from` or use another -f");
  }

  const Configuration& configuration_;
  const Wish& wish_;
  Accounts all_{};
  Accounts admitted_{};
  std::optional<mail::Mailbox> foreign_{};
  std::optional<std::string> sender_domain_{};
};

}  // namespace

base::Result<const Account*> find_account(const Configuration& configuration,
                                          const std::string& name) {
  Accounts all;
  std::vector<std::string> names;
  for (const Account& account : configuration.accounts) {
    if (account.name == name) return &account;
    all.push_back(&account);
    names.push_back(account.name);
  }
  return base::failure(Fault::config, "unknown account `" + base::clean(name, 60) + "`",
                       did_you_mean(name, names, "accounts: " + names_of(all)));
}

base::Result<const Account*> fallback_of(const Configuration& configuration, const Account& account,
                                         const mail::Peer& peer) {
  if (account.fallback.empty()) return static_cast<const Account*>(nullptr);
  base::Result<const Account*> found = find_account(configuration, account.fallback);
  if (!found) return found;
  if (!admits(**found, peer)) return may_not_use(**found, peer);
  if ((*found)->broken) return *(*found)->broken;
  return found;
}

base::Result<const Account*> choose(const Configuration& configuration, const Wish& wish) {
  return Chooser(configuration, wish).run();
}

}  // namespace account
