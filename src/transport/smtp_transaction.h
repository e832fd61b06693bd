// smtp_transaction: one message through one open dialogue: MAIL, RCPT, DATA, the content, and a
// fate for every recipient. Source: RFC 5321 3.3, 4.1.1; RFC 1870 (SIZE), 2920 (PIPELINING), 3461
// (DSN), 6152 (8BITMIME), 6531 (SMTPUTF8); facts P1-P8, P13. Nothing is sent twice; an answer that
// is lost behind the final dot is `unknown`, everything before it `deferred`.
#pragma once

#include <string>
#include <vector>

#include "base/fate.h"
#include "transport/deliver.h"
#include "transport/smtp.h"

namespace transport {

// What an error before, or instead of, a transaction means for one recipient.
base::Fate fate_of(const mail::Recipient& recipient, const base::Error& error);
std::vector<base::Fate> same_fate(const mail::Envelope& envelope, const base::Error& error);

// Message larger than `limit`: the error that says so with `whose` limit it is.
base::Error too_large(std::uint64_t size, std::uint64_t limit, const std::string& whose);

class Transaction {
 public:
  Transaction(Dialogue& dialogue, const Delivery& delivery);
  // Ends the dialogue, too.
  std::vector<base::Fate> run();

 private:
  enum class Standing : std::uint8_t { open, accepted, settled };
  struct Line {
    std::string command{};  // RCPT TO:<...>
    std::string address{};  // as a person knows it
    Standing standing = Standing::open;
  };

  // Before anything is sent.
  base::Done adapt();
  void spell_domains();
  base::Done reencode();
  base::Done write_commands();
  base::Result<std::string> wire_address(const mail::Mailbox& mailbox) const;
  std::string mail_parameters() const;
  std::string rcpt_parameters(const mail::Recipient& recipient) const;

  // Each true when the server waits for the content.
  bool in_flights();
  bool step_by_step();
  bool read_mail_reply();
  bool read_rcpt_reply(Line& line);
  bool data_answered(const Reply& reply);

  void content();
  base::Done send_content(std::string_view behind);
  void final_reply(bool quit_sent);
  void outcome_unknown(base::Error error);

  bool must_stop() const;  // somebody is refused and it is all or nothing, or nobody is left
  void settle(std::size_t index, const base::Error& error);
  void settle_rest(const base::Error& error);
  base::Error held_back() const;           // for those who get nothing because of another
  bool give_up(const base::Error& error);  // settles the rest; false
  bool abandon(const base::Error& error);  // the same, and ends the connection without QUIT

  Dialogue& dialogue_;
  const Delivery& delivery_;
  mail::Prepared& message_;
  bool utf8_ = false;
  std::string mail_command_;
  std::vector<Line> lines_;
  std::vector<base::Fate> fates_;
};

}  // namespace transport
