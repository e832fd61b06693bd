#include "queue/bounce.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "mail/mime.h"
#include "queue/bounce_text.h"

namespace queue {

namespace {

constexpr std::uint64_t quote_limit_bytes = 50UL * 1024;
constexpr std::size_t subject_limit_bytes = 200;
constexpr std::size_t summary_limit = 100;

std::string one_line(const mail::Header& header, std::string_view name, std::size_t limit) {
  const mail::Field* field = header.find(name);
  return field == nullptr ? std::string() : base::clean(mail::unfold(field->body), limit);
}

const char* subject_of(Notice notice) {
  switch (notice) {
    case Notice::failed:
      return "Mail not delivered: ";
    case Notice::delayed:
      return "Mail still waiting: ";
    case Notice::relayed:
      break;
  }
  return "Mail handed on: ";
}

// The header of the quoted message: ASCII, and without those who were to stay unseen.
mail::Header quoted_header(const mail::Header& header) {
  mail::Header out = header;
  out.remove("Bcc");
  out.remove("Resent-Bcc");
  mail::encode_header(out);
  return out;
}

bool quotes_whole(Notice notice, const mail::Envelope& envelope, const mail::Message& message) {
  return notice == Notice::failed && envelope.ret != "HDRS" && !message.body_has_nul &&
         !message.body_has_long_line &&
         message.header.text().size() + message.body_bytes() <= quote_limit_bytes;
}

base::Done add_quote(base::Scratch& out, Notice notice, const mail::Envelope& envelope,
                     const mail::Message& message) {
  const std::string header = quoted_header(message.header).text();
  if (!quotes_whole(notice, envelope, message)) {
    const std::string some = header.substr(0, header.rfind("\r\n", quote_limit_bytes) + 2);
    return out.append("Content-Type: text/rfc822-headers\r\n\r\n" + some);
  }
  const char* encoding = message.body_is_8bit ? "8bit" : "7bit";
  base::Done step =
      out.append(std::string("Content-Type: message/rfc822\r\n") +
                 "Content-Transfer-Encoding: " + encoding + "\r\n\r\n" + header + "\r\n");
  if (!step) return step;
  return message.bytes.each_piece(message.body_offset,
                                  [&](std::string_view piece) { return out.append(piece); });
}

// Envelope and the fields that every notice has.
mail::Submission begin(const BounceFacts& facts, const mail::SenderRules& rules,
                       const Addressee& addressee, const std::string& subject) {
  mail::Submission out;
  out.id = facts.id;
  out.at = facts.now_wall_s;
  out.peer.uid = 0;
  out.asked_account = facts.account;
  out.envelope.sender_given = true;  // and null
  std::string to;
  for (const mail::Mailbox& mailbox : addressee.mailboxes) {
    mail::Recipient recipient;
    recipient.mailbox = mailbox;
    recipient.notify = "NEVER";  // RFC 3461 6.1
    mail::add_recipient(out.envelope, std::move(recipient));
    to += (to.empty() ? "" : ",\r\n ") + mailbox.text();
  }
  mail::Header& header = out.message.header;
  header.append("Date", base::rfc5322_date(facts.now_wall_s));
  header.append("From", "Mail delivery <" + rules.user.text() + ">");
  header.append("To", to);
  header.append("Subject", subject);
  header.append("Auto-Submitted", "auto-replied");  // RFC 3834 5
  header.append("MIME-Version", "1.0");
  return out;
}

base::Done finish(mail::Submission& out, base::Scratch body) {
  out.message.bytes = std::move(body);
  out.message.body_offset = 0;
  return mail::measure_body(out.message);
}

}  // namespace

bool is_wanted(Notice notice, const mail::Recipient& recipient) {
  const std::string notify = base::lower(recipient.notify);
  const auto says = [&](std::string_view word) {
    const auto words = base::split(notify, ',');
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view one) { return base::trim(one) == word; });
  };
  if (notify.empty()) return notice != Notice::relayed;
  if (notice == Notice::failed) return says("failure");
  return says(notice == Notice::delayed ? "delay" : "success");
}

Addressee addressee(const mail::Envelope& arrival, const mail::SenderRules& rules) {
  Addressee out;
  const mail::Mailbox& sender = arrival.sender;
  if (arrival.sender_given && sender.null()) return out;
  const bool local = !sender.null() && (!sender.qualified() || mail::is_local(rules, sender));
  const bool ours = !sender.null() && !local && mail::matches_from(rules, sender);
  // A local sender's aliases are read when the bounce is prepared.
  const bool covered = local && (!rules.local_mail_to.empty() || rules.alias);
  if (ours || covered) {
    out.mailboxes = {sender};
    return out;
  }
  out.mailboxes = rules.local_mail_to;
  out.inside = true;
  if (out.mailboxes.empty() && sender.null() && !rules.user.null()) out.mailboxes = {rules.user};
  return out;
}

std::string cause_key(const base::Error& error) {
  return std::to_string(static_cast<int>(error.fault)) + " " + error.status;
}

base::Result<mail::Submission> make_bounce(const BounceFacts& facts, const mail::Envelope& envelope,
                                           const mail::Message& message,
                                           const mail::SenderRules& rules,
                                           const Addressee& addressee) {
  const std::string subject = one_line(message.header, "Subject", subject_limit_bytes);
  mail::Submission out =
      begin(facts, rules, addressee,
            subject_of(facts.notice) + (subject.empty() ? "(no subject)" : subject));
  const std::string its_id = one_line(message.header, "Message-ID", 500);
  if (!its_id.empty()) out.message.header.append("References", its_id);
  const std::string boundary = "=_report_" + facts.id;
  out.message.header.append(
      "Content-Type",
      "multipart/report; report-type=delivery-status;\r\n boundary=\"" + boundary + "\"");
  base::Scratch body;
  base::Done step = body.append(
      "--" + boundary +
      "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
      words_for_people(facts, rules, addressee.inside) + "\r\n--" + boundary +
      "\r\nContent-Type: message/delivery-status\r\n\r\n" + status_part(facts, envelope, rules) +
      "\r\n--" + boundary + "\r\n");
  if (step) step = add_quote(body, facts.notice, envelope, message);
  if (step) step = body.append("\r\n--" + boundary + "--\r\n");
  if (step) step = finish(out, std::move(body));
  if (!step) return std::move(step).error();
  return out;
}

base::Result<mail::Submission> make_summary(const BounceFacts& facts, const std::vector<Told>& all,
                                            const mail::SenderRules& rules,
                                            const Addressee& addressee) {
  mail::Submission out =
      begin(facts, rules, addressee, std::to_string(all.size()) + " more messages not delivered");
  out.message.header.append("Content-Type", "text/plain; charset=utf-8");
  out.message.header.append("Content-Transfer-Encoding", "8bit");
  std::string text = "These messages, too, were not delivered:\r\n";
  const std::size_t shown = std::min(all.size(), summary_limit);
  for (std::size_t i = 0; i < shown; ++i) text += summary_row(all[i], addressee.inside);
  if (shown < all.size()) {
    text += "\r\nand " + std::to_string(all.size() - shown) + " others.\r\n";
  }
  base::Scratch body;
  base::Done step = body.append(text);
  if (step) step = finish(out, std::move(body));
  if (!step) return std::move(step).error();
  return out;
}

}  // namespace queue
