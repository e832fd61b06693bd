// What an account means for one message. Files read here: /etc/mailname (only where `domain` is not
// set), and the alias file (only when a local recipient is looked up).
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "account/aliases.h"
#include "account/choose.h"
#include "account/host.h"
#include "base/file.h"
#include "base/text.h"

namespace account {

namespace {

using base::Fault;
using Targets = std::optional<std::vector<mail::Mailbox>>;

constexpr std::size_t mailname_limit_bytes = 4096;

// A name of one mailbox each; the key was judged when it was read.
std::vector<mail::Mailbox> mailboxes_of(const std::string& words) {
  std::vector<mail::Mailbox> out;
  for (const std::string& word : base::words(words)) {
    base::Result<mail::Mailbox> mailbox = mail::parse_mailbox(word);
    if (mailbox) out.push_back(std::move(*mailbox));
  }
  return out;
}

// The alias file, read at the first question and kept for the message.
class LazyAliases {
 public:
  LazyAliases(std::string path, std::vector<std::string> local_domains,
              std::vector<mail::Mailbox> local_mail_to)
      : path_(std::move(path)),
        local_domains_(std::move(local_domains)),
        local_mail_to_(std::move(local_mail_to)) {}

  base::Result<Targets> look_up(const std::string& name) {
    if (!loaded_) loaded_ = std::make_unique<base::Result<Aliases>>(Aliases::load(path_));
    if (!loaded_->ok()) return loaded_->error();
    const auto is_local = [this](const mail::Mailbox& mailbox) {
      return std::find(local_domains_.begin(), local_domains_.end(), base::lower(mailbox.domain)) !=
             local_domains_.end();
    };
    base::Result<std::optional<Aliases::Answer>> answer = (*loaded_)->resolve(name, is_local);
    if (!answer) return std::move(answer).error();
    if (!*answer) return Targets();
    return complete(name, std::move(**answer));
  }

 private:
  // Local names at which the aliases end go where all local mail goes.
  base::Result<Targets> complete(const std::string& name, Aliases::Answer answer) const {
    if (answer.local.empty()) return Targets(std::move(answer.mailboxes));
    if (answer.mailboxes.empty() && local_mail_to_.empty()) return Targets();
    if (local_mail_to_.empty()) {
      const std::string end = base::clean(answer.local.front(), 64);
      return base::failure(Fault::bad_recipient,
                           "alias " + base::clean(name, 64) + " leads to local name " + end,
                           "set local_mail_to, or give " + end + " an alias in " + path_);
    }
    answer.mailboxes.insert(answer.mailboxes.end(), local_mail_to_.begin(), local_mail_to_.end());
    return Targets(std::move(answer.mailboxes));
  }

  std::string path_;
  std::vector<std::string> local_domains_;
  std::vector<mail::Mailbox> local_mail_to_;
  std::unique_ptr<base::Result<Aliases>> loaded_{};
};

}  // namespace

std::string mail_name() {
  base::Result<base::Fd> file = base::open_trusted("/etc/mailname");
  if (!file) return {};
  base::Result<std::string> text =
      base::read_all(file->get(), mailname_limit_bytes, "/etc/mailname");
  if (!text) return {};
  const std::string name(base::trim(std::string_view(*text).substr(0, text->find('\n'))));
  return complaint(*find_key("domain"), name).empty() ? name : std::string();
}

std::string domain_of_user(const Account& account) {
  const base::Result<mail::Mailbox> user = mail::parse_mailbox(account.user);
  return user.ok() ? user->domain : std::string();
}

std::vector<std::string> host_domains(const Account& account) {
  std::vector<std::string> out = {"localhost"};
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return out;
  std::string host = base::lower(name.data());
  if (!host.empty() && host.back() == '.') host.pop_back();
  const std::string hosted = base::lower(domain_of_user(account));
  // A mail domain that the provider answers for is not local, even if the host is called so.
  if (!host.empty() && host != hosted && host != "localhost") out.push_back(host);
  const std::string first = host.substr(0, host.find('.'));
  if (!first.empty() && first != host && first != "localhost") out.push_back(first);
  return out;
}

mail::SenderRules sender_rules(const Configuration& configuration, const Account& account) {
  mail::SenderRules rules;
  rules.account = account.name;
  base::Result<mail::Mailbox> user = mail::parse_mailbox(account.user);
  if (user) rules.user = std::move(*user);
  rules.from = account.from;
  rules.rewrite_from = account.rewrite_from;
  // Graph sends as a mailbox, always.
  rules.null_sender = account.null_sender && account.transport == Transport::smtp;
  rules.sender_domain = configuration.domain;
  if (rules.sender_domain.empty()) rules.sender_domain = mail_name();
  if (rules.sender_domain.empty()) rules.sender_domain = rules.user.domain;
  rules.local_domains = host_domains(account);
  rules.local_mail_to = mailboxes_of(configuration.local_mail_to);
  auto aliases = std::make_shared<LazyAliases>(configuration.aliases, rules.local_domains,
                                               rules.local_mail_to);
  rules.alias = [aliases](const std::string& local) { return aliases->look_up(local); };
  return rules;
}

}  // namespace account
