// bounce: delivery status notifications: what a sender is told, and who is told. Pure: yields a
// message for the queue itself. Source: RFC 3464 (form), RFC 3461 (NOTIFY, RET, ENVID, ORCPT), RFC
// 6533 (addresses that are not ASCII), RFC 3834; design section 6.
// To the sender if it is in the account's `from` or local, else to local_mail_to; who is not
// local_mail_to reads the provider's words and no name of an account, path or command of ours.
// What came in with a null sender is never bounced. At most 50 KiB of the message is quoted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "mail/rewrite.h"
#include "mail/submission.h"

namespace queue {

enum class Notice : std::uint8_t { failed, delayed, relayed };

// One recipient that there is something to say of.
struct Failure {
  mail::Recipient recipient{};
  base::Error error{};
};

struct BounceFacts {
  Notice notice = Notice::failed;
  std::string id{};  // of the bounce
  std::string of{};  // the message's id
  std::int64_t now_wall_s = 0;
  std::int64_t arrived_wall_s = 0;
  std::int64_t until_wall_s = 0;  // delayed: when it will be given up
  std::string account{};
  std::vector<Failure> failures{};
};

// Whether NOTIFY asks for it (RFC 3461 4.1; nothing asked: failures and delays).
bool is_wanted(Notice notice, const mail::Recipient& recipient);

// Where it goes; empty: nowhere. `inside`: to local_mail_to, who may read all.
struct Addressee {
  std::vector<mail::Mailbox> mailboxes{};
  bool inside = false;
};
Addressee addressee(const mail::Envelope& arrival, const mail::SenderRules& rules);

// `message`: as it came in. The submission's sender is <>.
base::Result<mail::Submission> make_bounce(const BounceFacts& facts, const mail::Envelope& envelope,
                                           const mail::Message& message,
                                           const mail::SenderRules& rules,
                                           const Addressee& addressee);

// One line of a summary: what was not told one by one.
struct Told {
  std::string id{};
  std::int64_t arrived_wall_s = 0;
  std::string subject{};
  std::string message_id{};
  std::vector<Failure> failures{};
};
base::Result<mail::Submission> make_summary(const BounceFacts& facts, const std::vector<Told>& all,
                                            const mail::SenderRules& rules,
                                            const Addressee& addressee);

// Which failures are the same to a reader: account, class and status.
std::string cause_key(const base::Error& error);

}  // namespace queue
