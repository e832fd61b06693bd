// smtp_transaction: one message through one open dialogue: MAIL, RCPT, DATA or BDAT, the content,
// and a fate for every recipient. Source: RFC 5321 3.3, 4.1.1; RFC 2920 (PIPELINING), 3030
// (CHUNKING); facts P1-P8, P13. Nothing is sent twice; an answer that is lost behind the end of the
// message is `unknown`, everything before it `deferred`. Flights: one by BDAT for a small message
// to one recipient, else two, and one more for each 32 KiB of recipients.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fate.h"
#include "transport/deliver.h"
#include "transport/smtp.h"
#include "transport/smtp_commands.h"
#include "transport/smtp_data.h"

namespace transport {

// What an error before, or instead of, a transaction means for one recipient.
base::Fate fate_of(const mail::Recipient& recipient, const base::Error& error);
std::vector<base::Fate> same_fate(const mail::Envelope& envelope, const base::Error& error);

// Some of the recipients, in the order of the envelope.
struct Share {
  std::size_t first = 0;
  std::size_t count = 0;
};

class Transaction {
 public:
  struct Manner {
    bool last = true;    // nothing comes behind it, so that QUIT rides along
    bool chunks = true;  // BDAT where the server offers it
  };
  Transaction(Dialogue& dialogue, const Delivery& delivery, Share share, Manner manner);
  // One fate for each of the share. The dialogue ends where `last` or an error says so.
  std::vector<base::Fate> run();
  // After run(): the connection, used before, had ended in the meantime. Nothing of this message
  // can have reached anybody; it is worth a new connection.
  bool stale() const { return stale_; }
  // After run(): the server offers CHUNKING and does not bear BDAT, so nothing was taken; worth
  // another try by DATA.
  bool wants_data() const { return wants_data_; }

 private:
  enum class Standing : std::uint8_t { open, accepted, settled };
  struct Line {
    std::string command{};  // RCPT TO:<...>
    std::string address{};  // as a person knows it
    Standing standing = Standing::open;
  };

  base::Done write_commands();
  bool by_chunks() const;
  bool fits_one_flight() const;

  // Each true when the server waits for the content.
  bool in_flights();
  bool step_by_step();
  bool read_reset_reply();
  bool read_mail_reply();
  bool read_rcpt_reply(Line& line);
  bool data_answered(const Reply& reply);
  std::string opening() const;  // RSET where it is needed, and MAIL

  void all_in_one_flight();
  void send_all_in_one();
  void content();
  base::Done send_content(ContentWriter& writer, std::string_view behind);
  base::Done note_end() const;
  base::Done send_piece(std::string_view bytes, bool last, std::string_view shown);
  base::Done hear_chunks(bool all);
  void final_reply();
  void take_final_reply(const Reply& answer);
  base::Error judged_end(const Reply& answer);
  void outcome_unknown(base::Error error);
  std::string_view behind() const { return quits_ ? "QUIT\r\n" : ""; }

  bool must_stop() const;  // somebody is refused and it is all or nothing, or nobody is left
  void settle(std::size_t index, const base::Error& error);
  void settle_rest(const base::Error& error);
  base::Error held_back() const;           // for those who get nothing because of another
  bool give_up(const base::Error& error);  // settles the rest; false
  bool abandon(const base::Error& error);  // the same, and ends the connection without QUIT
  bool lost(const base::Error& error);     // abandon, or unknown, or stale: by what was under way

  Dialogue& dialogue_;
  const Delivery& delivery_;
  mail::Prepared& message_;
  Share share_;
  Manner manner_;
  bool quits_ = false;  // QUIT leaves with the content
  std::string mail_command_;
  std::vector<Line> lines_;
  std::vector<base::Fate> fates_;
  bool heard_ = false;                  // any answer to this transaction
  bool content_in_air_ = false;         // its end has left before the envelope was answered
  int chunks_ = 0;                      // unanswered, without the last
  std::optional<base::Error> refusal_;  // of a chunk
  bool stale_ = false;
  bool wants_data_ = false;
};

}  // namespace transport
