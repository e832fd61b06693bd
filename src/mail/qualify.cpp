#include "mail/qualify.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "mail/address_field.h"
#include "mail/idn.h"

namespace mail {
namespace {

constexpr std::size_t expansion_limit = 10000;  // mailboxes of one local name

// A domain in the form that two spellings share.
std::string domain_key(std::string_view domain) {
  std::string key(domain);
  if (!key.empty() && key.back() == '.') key.pop_back();
  if (base::is_ascii(key)) return base::lower(key);
  base::Result<std::string> labels = to_a_labels(key);
  return labels.ok() ? std::move(labels).value() : key;
}

bool domain_fits(std::string_view pattern, std::string_view domain) {
  if (pattern == "*") return true;
  if (pattern.substr(0, 2) != "*.") return domain_key(pattern) == domain;
  // Every domain below: "*.b" is "x.b" and "x.y.b", not "b".
  const std::string below = "." + domain_key(pattern.substr(2));
  return domain.size() > below.size() &&
         domain.substr(domain.size() - below.size()) == std::string_view(below);
}

bool fits(std::string_view pattern, const std::string& local, const std::string& domain) {
  if (pattern == "*") return true;
  const std::size_t at = pattern.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::string_view name = pattern.substr(0, at);
  return (name == "*" || base::same_ignoring_case(name, local)) &&
         domain_fits(pattern.substr(at + 1), domain);
}

base::Error no_mailbox(const SenderRules& rules, const std::string& local) {
  const std::string name = base::clean(local, 80);
  base::Error error =
      base::failure(base::Fault::bad_recipient, "no mailbox is known for the local user " + name,
                    "set local_mail_to, or add " + name + " to the aliases file");
  error.account = rules.account;
  return error;
}

base::Result<std::optional<std::vector<Mailbox>>> alias_of(const SenderRules& rules,
                                                           const std::string& local) {
  if (!rules.alias) return std::optional<std::vector<Mailbox>>();
  return rules.alias(local);
}

// What the alias file makes of one local name, to the end. Names that come back are taken once, so
// that a circle ends; a circle alone yields nothing.
base::Result<std::vector<Mailbox>> expand(const SenderRules& rules, const std::string& local) {
  std::vector<Mailbox> found;
  std::vector<std::string> waiting{local};
  std::set<std::string> seen{base::lower(local)};
  const auto use_catch_all = [&](const std::string& name) {
    found.insert(found.end(), rules.local_mail_to.begin(), rules.local_mail_to.end());
    return !rules.local_mail_to.empty() ? base::done() : base::Done(no_mailbox(rules, name));
  };
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const std::string name = waiting[i];
    auto targets = alias_of(rules, name);
    if (!targets.ok()) return std::move(targets).error();
    if (!targets.value() || targets.value()->empty()) {
      if (base::Done done = use_catch_all(name); !done.ok()) return std::move(done).error();
      continue;
    }
    for (Mailbox& target : *targets.value()) {
      if (!is_local(rules, target))
        found.push_back(std::move(target));
      else if (seen.insert(base::lower(target.local)).second)
        waiting.push_back(target.local);
    }
    if (waiting.size() > expansion_limit || found.size() > expansion_limit)
      return base::failure(base::Fault::bad_recipient,
                           "the alias of " + base::clean(local, 80) + " has too many targets",
                           "shorten it in the aliases file");
  }
  if (found.empty()) {
    if (base::Done done = use_catch_all(local); !done.ok()) return std::move(done).error();
  }
  return found;
}

// The address that an unqualified name in the header stands for.
std::string completed(const SenderRules& rules, const Mailbox& mailbox, bool recipient) {
  if (recipient) {
    const auto targets = alias_of(rules, mailbox.local);
    const bool one = targets.ok() && targets.value() && targets.value()->size() == 1;
    if (one && !is_local(rules, targets.value()->front())) return targets.value()->front().text();
  }
  return qualified(rules, mailbox).text();
}

bool named_in(const Field& field, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return is_named(field, name); });
}

void qualify_field(const SenderRules& rules, Field& field, bool recipient) {
  const std::optional<AddressField> read = read_address_field(field.body);
  if (!read) return;
  std::vector<Edit> edits;
  for (const AddressPlace& place : read->addresses) {
    if (place.torn) continue;
    if (place.plain.find('@') != std::string::npos && place.plain.front() != '"') continue;
    const base::Result<Mailbox> mailbox = parse_mailbox(place.plain);
    if (!mailbox.ok()) return;
    if (!mailbox.value().qualified() && !mailbox.value().null())
      edits.push_back({place.spec, completed(rules, mailbox.value(), recipient)});
  }
  if (!edits.empty()) field.body = with_edits(field.body, edits);
}

}  // namespace

Mailbox qualified(const SenderRules& rules, Mailbox mailbox) {
  if (!mailbox.qualified() && !mailbox.null())
    mailbox.domain = rules.sender_domain.empty() ? rules.user.domain : rules.sender_domain;
  return mailbox;
}

base::Done domain_to_a_labels(Mailbox& mailbox) {
  if (base::is_ascii(mailbox.domain)) return base::done();
  base::Result<std::string> labels = to_a_labels(mailbox.domain);
  if (!labels.ok()) return std::move(labels).error();
  mailbox.domain = std::move(labels).value();
  return base::done();
}

bool is_user(const SenderRules& rules, const Mailbox& full) {
  return base::same_ignoring_case(full.local, rules.user.local) &&
         domain_key(full.domain) == domain_key(rules.user.domain);
}

bool matches_from(const SenderRules& rules, const Mailbox& mailbox) {
  if (mailbox.null()) return false;
  const Mailbox full = qualified(rules, mailbox);
  const std::string domain = domain_key(full.domain);
  if (is_user(rules, full)) return true;
  return std::any_of(rules.from.begin(), rules.from.end(),
                     [&](const std::string& pattern) { return fits(pattern, full.local, domain); });
}

bool is_local(const SenderRules& rules, const Mailbox& mailbox) {
  if (!mailbox.qualified()) return true;
  const std::string domain = domain_key(mailbox.domain);
  return domain == "localhost" || domain == "localhost.localdomain" ||
         std::any_of(rules.local_domains.begin(), rules.local_domains.end(),
                     [&](const std::string& one) { return domain_key(one) == domain; });
}

base::Done resolve_recipients(const SenderRules& rules, Envelope& envelope) {
  const std::vector<Recipient> asked = std::move(envelope.recipients);
  envelope.recipients.clear();
  envelope.known.clear();
  const auto add = [&](const Recipient& original, Mailbox mailbox) {
    if (base::Done done = domain_to_a_labels(mailbox); !done.ok()) return done;
    add_recipient(envelope, {std::move(mailbox), original.notify, original.orcpt});
    return base::done();
  };
  for (const Recipient& recipient : asked) {
    if (!is_local(rules, recipient.mailbox)) {
      if (base::Done done = add(recipient, recipient.mailbox); !done.ok()) return done;
      continue;
    }
    base::Result<std::vector<Mailbox>> targets = expand(rules, recipient.mailbox.local);
    if (!targets.ok()) return std::move(targets).error();
    for (Mailbox& target : targets.value())
      if (base::Done done = add(recipient, std::move(target)); !done.ok()) return done;
  }
  return base::done();
}

void qualify_header(const SenderRules& rules, Header& header) {
  for (Field& field : header.fields) {
    if (named_in(field,
                 {"From", "Sender", "Reply-To", "Resent-From", "Resent-Sender", "Resent-Reply-To"}))
      qualify_field(rules, field, false);
    else if (named_in(field, {"To", "Cc", "Resent-To", "Resent-Cc"}))
      qualify_field(rules, field, true);
  }
}

}  // namespace mail
