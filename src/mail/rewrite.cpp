#include "mail/rewrite.h"

#include "base/text.h"
#include "mail/address_field.h"
#include "mail/idn.h"
#include "mail/qualify.h"

namespace mail {
namespace {

using RewriteFrom = SenderRules::RewriteFrom;

base::Error may_not_send(const SenderRules& rules, const std::string& as, bool is_signed) {
  std::string cause = rules.user.text() + " may not send as " + base::clean(as, 320);
  std::string cure = "add it to `from`, or set rewrite_from = auto";
  if (is_signed) {
    cause += ", and a signed message is not rewritten";
    cure = "add it to `from`, or send it unsigned";
  }
  base::Error error = base::failure(base::Fault::not_permitted, std::move(cause), std::move(cure));
  error.account = rules.account;
  return error;
}

base::Error unreadable_from(const SenderRules& rules) {
  base::Error error =
      base::failure(base::Fault::bad_message, "the From field holds no address that can be read",
                    "write From: name <address>");
  error.account = rules.account;
  return error;
}

// RFC 1847, RFC 8551: what a changed header would make suspect, or what we cannot look into.
bool is_signed_message(const Header& header) {
  const Field* field = header.find("Content-Type");
  if (field == nullptr) return false;
  const std::string value = unfold(field->body);
  const std::string_view type = base::trim(std::string_view(value).substr(0, value.find(';')));
  return base::same_ignoring_case(type, "multipart/signed") ||
         base::same_ignoring_case(type, "application/pkcs7-mime") ||
         base::same_ignoring_case(type, "application/x-pkcs7-mime");
}

bool empty(const Field& field) {
  return base::trim(field.body).empty();
}

struct Sender {
  AddressPlace place{};
  Mailbox mailbox{};
  bool allowed = false;
};

// The mailboxes of a From or Sender field, judged; nothing: cannot be read.
std::optional<std::vector<Sender>> read_senders(const SenderRules& rules, const Field& field,
                                                bool only_user) {
  std::optional<AddressField> read = read_address_field(field.body);
  if (!read || read->addresses.empty()) return std::nullopt;
  std::vector<Sender> senders;
  for (AddressPlace& place : read->addresses) {
    base::Result<Mailbox> mailbox = parse_mailbox(place.plain);
    if (!mailbox.ok()) return std::nullopt;
    Sender sender{std::move(place), std::move(mailbox).value(), false};
    const Mailbox full = qualified(rules, sender.mailbox);
    sender.allowed = only_user ? base::same_ignoring_case(full.text(), rules.user.text())
                               : matches_from(rules, full);
    senders.push_back(std::move(sender));
  }
  return senders;
}

bool looks_like_address(std::string_view name) {
  // "=40" is the same sign in an encoded word.
  return name.find('@') != std::string_view::npos || name.find("=40") != std::string_view::npos;
}

void edits_to_user(const SenderRules& rules, std::string_view body, const AddressPlace& place,
                   std::vector<Edit>& edits) {
  if (place.phrase.size != 0 && looks_like_address(place.phrase.of(body)))
    edits.push_back({place.phrase, ""});
  edits.push_back({place.spec, rules.user.text()});
  const bool behind = place.comment.size != 0 && place.comment.at >= place.spec.end();
  if (behind && looks_like_address(place.comment.of(body))) edits.push_back({place.comment, ""});
}

// The field with every mailbox that is not allowed as `user`, which stands there once.
std::string with_user(const SenderRules& rules, std::string_view body,
                      const std::vector<Sender>& senders) {
  std::vector<Edit> edits;
  bool user_stands = false;
  for (const Sender& sender : senders) {
    const bool is_user = base::same_ignoring_case(sender.mailbox.text(), rules.user.text());
    if (!sender.allowed && user_stands) {
      Place place = sender.place.element;
      if (sender.place.after_comma) place = {place.at - 1, place.size + 1};
      edits.push_back({place, ""});
    } else if (!sender.allowed) {
      edits_to_user(rules, body, sender.place, edits);
    }
    user_stands = user_stands || is_user || !sender.allowed;
  }
  return with_edits(body, edits);
}

// Answers go where they went before: to every mailbox of the original From that others can reach.
void keep_replies(const SenderRules& rules, const std::string& body,
                  const std::vector<Sender>& senders, Header& header) {
  bool lost = false;
  std::string value;
  for (const Sender& sender : senders) {
    if (is_local(rules, sender.mailbox)) continue;
    lost = lost || !sender.allowed;
    const std::string_view text = base::trim(sender.place.element.of(body));
    value += value.empty() ? "" : ", ";
    value += text;
  }
  if (!lost) return;
  if (Field* old = header.find("Reply-To")) {
    if (empty(*old)) old->body = " " + value;
    return;
  }
  header.append("Reply-To", value);
}

const Sender* first_refused(const std::vector<Sender>& senders, bool also_login_names) {
  for (const Sender& sender : senders)
    if (!sender.allowed && (also_login_names || sender.mailbox.qualified())) return &sender;
  return nullptr;
}

struct Policy {
  bool always = false;
  bool never = false;
  bool is_signed = false;
};

Policy policy_of(const SenderRules& rules, const Header& header) {
  Policy policy;
  policy.is_signed = is_signed_message(header);
  policy.never = rules.rewrite_from == RewriteFrom::never;
  policy.always = rules.rewrite_from == RewriteFrom::always && !policy.is_signed;
  return policy;
}

// Whether what is not allowed may be replaced: under `never` only a login name, which is nobody's
// address and often was put there by ourselves; in a signed message nothing.
base::Done judge(const SenderRules& rules, const Policy& policy,
                 const std::vector<Sender>& senders) {
  if (!policy.never && !policy.is_signed) return base::done();
  const Sender* refused = first_refused(senders, policy.is_signed);
  if (refused != nullptr)
    return may_not_send(rules, refused->mailbox.text(), policy.is_signed && !policy.never);
  return base::done();
}

base::Done rewrite_from_field(const SenderRules& rules, const Policy& policy, std::size_t index,
                              Header& header) {
  const std::string body = header.fields[index].body;
  const auto senders = read_senders(rules, header.fields[index], policy.always);
  if (!senders) {
    if (policy.never || policy.is_signed) return unreadable_from(rules);
    header.fields[index].body = " " + rules.user.text();
    return base::done();
  }
  if (base::Done judged = judge(rules, policy, *senders); !judged.ok()) return judged;
  header.fields[index].body = with_user(rules, body, *senders);
  keep_replies(rules, body, *senders, header);
  return base::done();
}

// Sender (RFC 5322 3.6.2) says who sent the message in the name of From. One that the account may
// not use is dropped, unless From names several mailboxes, which asks for a Sender: then `user`.
base::Done rewrite_sender_fields(const SenderRules& rules, const Policy& policy, Header& header) {
  const Field* from = header.find("From");
  const auto authors = from == nullptr ? std::nullopt : read_address_field(from->body);
  const bool several = authors && authors->addresses.size() > 1;
  for (std::size_t i = 0; i < header.fields.size();) {
    Field& field = header.fields[i];
    if (!is_named(field, "Sender") || empty(field)) {
      ++i;
      continue;
    }
    const auto senders = read_senders(rules, field, policy.always);
    const bool fine = senders && first_refused(*senders, true) == nullptr;
    if (!fine && senders) {
      if (base::Done judged = judge(rules, policy, *senders); !judged.ok()) return judged;
    }
    if (!fine && !several) {
      header.fields.erase(header.fields.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (!fine) field.body = " " + rules.user.text();
    ++i;
  }
  return base::done();
}

// The first mailbox of From that the account may use, as it stands before anything is rewritten.
std::optional<Mailbox> usable_author(const SenderRules& rules, const Header& header) {
  for (const Field& field : header.fields) {
    if (!is_named(field, "From") || empty(field)) continue;
    const auto senders = read_senders(rules, field, false);
    if (!senders) continue;
    for (const Sender& sender : *senders)
      if (sender.allowed) return qualified(rules, sender.mailbox);
  }
  return std::nullopt;
}

void mark_automatic(Header& header) {
  if (header.find("Auto-Submitted") == nullptr) header.append("Auto-Submitted", "auto-replied");
  if (header.find("X-Auto-Response-Suppress") == nullptr)
    header.append("X-Auto-Response-Suppress", "All");
}

base::Done choose_reverse_path(const SenderRules& rules, Envelope& envelope, Header& header) {
  Mailbox& sender = envelope.sender;
  if (envelope.sender_given && sender.null()) {
    if (rules.null_sender) return base::done();
    sender = rules.user;
    mark_automatic(header);
    return base::done();
  }
  if (envelope.sender_given) {
    const Mailbox full = qualified(rules, sender);
    if (matches_from(rules, full)) {
      sender = full;
      return base::done();
    }
    if (rules.rewrite_from == RewriteFrom::never) return may_not_send(rules, full.text(), false);
  }
  sender = usable_author(rules, header).value_or(rules.user);
  return base::done();
}

}  // namespace

base::Done rewrite_senders(const SenderRules& rules, Envelope& envelope, Header& header) {
  if (base::Done chosen = choose_reverse_path(rules, envelope, header); !chosen.ok()) return chosen;
  if (base::Done done = domain_to_a_labels(envelope.sender); !done.ok()) return done;
  const Policy policy = policy_of(rules, header);
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    if (!is_named(header.fields[i], "From") || empty(header.fields[i])) continue;
    base::Done rewritten = rewrite_from_field(rules, policy, i, header);
    if (!rewritten.ok()) return rewritten;
  }
  return rewrite_sender_fields(rules, policy, header);
}

}  // namespace mail
