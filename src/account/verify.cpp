#include "account/verify.h"

#include <string>
#include <utility>

#include "account/choose.h"
#include "base/text.h"
#include "mail/rewrite.h"

namespace account {

namespace {

std::string way_of(const Account& account) {
  if (account.transport == Transport::graph) return "graph (" + account.graph_endpoint + ")";
  return "smtp (" + account.smtp_host + ":" + std::to_string(account.smtp_port) + ")";
}

std::string shown(const mail::Mailbox& mailbox) {
  return base::clean(mailbox.text(), 320);
}

std::string final_addresses(const mail::Envelope& envelope) {
  std::string all;
  for (const mail::Recipient& recipient : envelope.recipients) {
    all += (all.empty() ? "" : ", ") + shown(recipient.mailbox);
  }
  return all;
}

}  // namespace

base::Done verify(const Configuration& configuration, const Account& account,
                  const mail::Submission& submission, const base::Trace& trace) {
  const mail::SenderRules rules = sender_rules(configuration, account);
  base::tell(trace, "account: " + account.name);
  base::tell(trace, "transport: " + way_of(account));
  mail::Envelope envelope;
  envelope.sender_given = submission.envelope.sender_given;
  envelope.sender = submission.envelope.sender;
  mail::Header none;
  base::Done verified = mail::rewrite_senders(rules, envelope, none);
  base::tell(trace, "sender: " + (verified.ok() ? "<" + shown(envelope.sender) + ">"
                                                : "refused: " + verified.error().cause));
  for (const mail::Recipient& recipient : submission.envelope.recipients) {
    mail::Envelope one;
    mail::add_recipient(one, recipient);
    base::Done resolved = mail::resolve_recipients(rules, one);
    base::tell(trace, "recipient: " + shown(recipient.mailbox) + " -> " +
                          (resolved ? final_addresses(one) : "refused: " + resolved.error().cause));
    if (!resolved && verified.ok()) verified = std::move(resolved);
  }
  return verified;
}

}  // namespace account
