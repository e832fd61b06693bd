// rewrite: the sender that an account may use, and addresses made whole.
// Source: design section 3 (reverse-path, rewrite_from) and section 4 (qualification, local
// recipients). Errors: Fault::not_permitted (sender), Fault::bad_recipient (a local name that
// nothing covers).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/header.h"

namespace mail {

// What an account means for one message; made by account/choose, a plain value here.
struct SenderRules {
  enum class RewriteFrom : std::uint8_t { automatic, always, never };
  std::string account{};  // its name, for texts
  Mailbox user{};         // the mailbox that signs in
  // Patterns: "a@b", "*@b", "*@*.b" (every domain below b), "a@*", "*"; user always counts. Case is
  // ignored in both halves, as providers do.
  std::vector<std::string> from{};
  RewriteFrom rewrite_from = RewriteFrom::never;
  bool null_sender = true;                   // the provider takes MAIL FROM:<>
  std::string sender_domain{};               // for unqualified senders and header recipients
  std::vector<std::string> local_domains{};  // localhost, this host's names, lower case
  std::vector<Mailbox> local_mail_to{};
  // The targets of a local name by the alias file; nothing: not covered. An error: a forbidden
  // target.
  std::function<base::Result<std::optional<std::vector<Mailbox>>>(const std::string& local)>
      alias{};
};

// A mailbox without a domain counts with `sender_domain`; the null one never matches.
bool matches_from(const SenderRules& rules, const Mailbox& mailbox);
bool is_local(const SenderRules& rules, const Mailbox& mailbox);

// The reverse-path to use, and From and Sender as they may leave. Marks a null sender that became
// `user`. Only addresses change, names and comments stay. Under `never` a bare login name in From
// is nobody's address and becomes `user` too; `user` stands in From once. A group
// in From becomes its mailboxes, without names: providers refuse groups there. A Sender that may
// not be used is dropped; where From names several mailboxes and no Sender is left, `user` is it.
// In a signed message nothing is replaced but a From that is one bare login name: the front end put
// it there, and no signature covers it. Linear in the header.
base::Done rewrite_senders(const SenderRules& rules, Envelope& envelope, Header& header);

// Local recipients to real ones, each once; unqualified header addresses completed.
base::Done resolve_recipients(const SenderRules& rules, Envelope& envelope);
void qualify_header(const SenderRules& rules, Header& header);

}  // namespace mail
