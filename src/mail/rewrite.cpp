#include "mail/rewrite.h"

#include <algorithm>

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
  bool is_user = false;
  bool allowed = false;
};

// The mailboxes of a From or Sender field, judged; nothing: cannot be read.
std::optional<std::vector<Sender>> read_senders(const SenderRules& rules, const Field& field,
                                                bool only_user) {
  std::optional<AddressField> read = read_address_field(field.body);
  if (!read || read->addresses.empty() || read->addresses.back().torn) return std::nullopt;
  std::vector<Sender> senders;
  for (AddressPlace& place : read->addresses) {
    if (place.torn) continue;
    base::Result<Mailbox> mailbox = parse_mailbox(place.plain);
    if (!mailbox.ok()) return std::nullopt;
    Sender sender{std::move(place), std::move(mailbox).value()};
    const Mailbox full = qualified(rules, sender.mailbox);
    sender.is_user = is_user(rules, full);
    sender.allowed = only_user ? sender.is_user : matches_from(rules, full);
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

// An element with one of the commas beside it that no removal before has taken.
Place element_with_comma(std::string_view body, const AddressPlace& place,
                         const std::vector<Edit>& edits) {
  const Place& element = place.element;
  const std::size_t taken = edits.empty() ? 0 : edits.back().place.end();
  if (place.after_comma && element.at > taken) return {element.at - 1, element.size + 1};
  const bool before_comma = element.end() < body.size() && body[element.end()] == ',';
  return {element.at, element.size + (before_comma ? 1U : 0U)};
}

// The field with every mailbox that is not allowed as `user`, which stands there once: where it
// stood already, else in place of the first that is not allowed.
std::string with_user(const SenderRules& rules, std::string_view body,
                      const std::vector<Sender>& senders) {
  std::vector<Edit> edits;
  bool user_stands = std::any_of(senders.begin(), senders.end(), [](const Sender& sender) {
    return sender.allowed && sender.is_user;
  });
  for (const Sender& sender : senders) {
    if (sender.allowed) continue;
    if (user_stands)
      edits.push_back({element_with_comma(body, sender.place, edits), ""});
    else
      edits_to_user(rules, body, sender.place, edits);
    user_stands = true;
  }
  std::string out = with_edits(body, edits);
  // The first line of a field is not left empty.
  if (!edits.empty() && out.starts_with("\r\n")) out.erase(0, 2);
  return out;
}

// Where Reply-To stands, looked up once for a header with any number of From fields.
using FieldIndex = std::optional<std::size_t>;

FieldIndex index_of(const Header& header, std::string_view name) {
  const Field* field = header.find(name);
  if (field == nullptr) return std::nullopt;
  return static_cast<std::size_t>(field - header.fields.data());
}

// Answers go where they went before: to every mailbox of the original From that others can reach.
void keep_replies(const SenderRules& rules, const std::string& body,
                  const std::vector<Sender>& senders, FieldIndex& reply_to, Header& header) {
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
  if (reply_to) {
    Field& old = header.fields[*reply_to];
    if (empty(old)) old.body = " " + value;
    return;
  }
  reply_to = header.fields.size();
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

bool is_login_name(const std::vector<Sender>& senders) {
  return senders.size() == 1 && !senders.front().mailbox.qualified() &&
         !senders.front().place.in_group;
}

// Whether only the mailboxes can be taken over: around them stands a group, which providers refuse
// in From, or half an encoded word, which would be left behind by a change.
bool is_reduced(const Policy& policy, const std::vector<Sender>& senders) {
  const bool changes = first_refused(senders, true) != nullptr;
  const bool free = !policy.never && !policy.is_signed;
  return std::any_of(senders.begin(), senders.end(), [&](const Sender& sender) {
    return (sender.place.in_group && (changes || free)) || (sender.place.behind_torn && changes);
  });
}

std::string mailboxes_of(const std::vector<Sender>& senders) {
  std::string list;
  for (const Sender& sender : senders) list += (list.empty() ? " " : ", ") + sender.mailbox.text();
  return list;
}

base::Done rewrite_from_field(const SenderRules& rules, Policy policy, std::size_t index,
                              FieldIndex& reply_to, Header& header) {
  std::string body = header.fields[index].body;
  auto senders = read_senders(rules, header.fields[index], policy.always);
  if (senders && policy.is_signed && is_login_name(*senders)) {
    // The front end put it there: no signature covers it.
    policy.is_signed = false;
    Sender& login = senders->front();
    if (rules.rewrite_from == RewriteFrom::always) login.allowed = login.is_user;
  }
  if (senders) {
    if (base::Done judged = judge(rules, policy, *senders); !judged.ok()) return judged;
    if (is_reduced(policy, *senders)) {
      body = mailboxes_of(*senders);
      senders = read_senders(rules, {"From", body}, policy.always);
    }
  }
  if (!senders) {
    if (policy.never || policy.is_signed) return unreadable_from(rules);
    header.fields[index].body = " " + rules.user.text();
    return base::done();
  }
  header.fields[index].body = with_user(rules, body, *senders);
  keep_replies(rules, body, *senders, reply_to, header);
  return base::done();
}

bool names_several(const Header& header) {
  const Field* from = header.find("From");
  const auto authors = from == nullptr ? std::nullopt : read_address_field(from->body);
  if (!authors) return false;
  const std::vector<AddressPlace>& places = authors->addresses;
  return std::count_if(places.begin(), places.end(),
                       [](const AddressPlace& place) { return !place.torn; }) > 1;
}

// Takes the fields at these places (ascending) out, in one pass.
void remove_fields(const std::vector<std::size_t>& places, Header& header) {
  if (places.empty()) return;
  std::vector<Field>& fields = header.fields;
  std::size_t kept = places.front();
  std::size_t next = 0;
  for (std::size_t i = kept; i < fields.size(); ++i) {
    if (next < places.size() && places[next] == i)
      ++next;
    else
      fields[kept++] = std::move(fields[i]);
  }
  fields.resize(kept);
}

// Sender (RFC 5322 3.6.2) says who sent the message in the name of From. One that the account may
// not use is dropped. Several mailboxes in From ask for a Sender (Exchange: 5.1.20): then `user`,
// where no other stands.
base::Done rewrite_sender_fields(const SenderRules& rules, const Policy& policy, Header& header) {
  std::vector<std::size_t> refused;
  bool stands = false;
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const Field& field = header.fields[i];
    if (!is_named(field, "Sender") || empty(field)) continue;
    const auto senders = read_senders(rules, field, policy.always);
    if (senders && first_refused(*senders, true) == nullptr) {
      stands = true;
      continue;
    }
    if (senders) {
      if (base::Done judged = judge(rules, policy, *senders); !judged.ok()) return judged;
    }
    refused.push_back(i);
  }
  if (!stands && names_several(header)) {
    const FieldIndex place = refused.empty() ? index_of(header, "Sender") : refused.front();
    if (place)
      header.fields[*place].body = " " + rules.user.text();
    else
      header.append("Sender", rules.user.text());
    if (!refused.empty()) refused.erase(refused.begin());
  }
  remove_fields(refused, header);
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
  FieldIndex reply_to = index_of(header, "Reply-To");
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    if (!is_named(header.fields[i], "From") || empty(header.fields[i])) continue;
    base::Done rewritten = rewrite_from_field(rules, policy, i, reply_to, header);
    if (!rewritten.ok()) return rewritten;
  }
  return rewrite_sender_fields(rules, policy, header);
}

}  // namespace mail
