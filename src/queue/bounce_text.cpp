#include "queue/bounce_text.h"

#include <array>
#include <cstdio>
#include <string_view>

#include "base/clock.h"
#include "base/text.h"

namespace queue {

namespace {

constexpr std::size_t said_limit_bytes = 512;

std::string shown(const mail::Mailbox& mailbox) {
  return base::clean(mailbox.text(), 320);
}

// What a sender may read: the provider's words; ours name accounts, files and commands.
std::string generic(const base::Error& error) {
  switch (error.fault) {
    case base::Fault::bad_recipient:
      return "the recipient is unknown or refused";
    case base::Fault::bad_message:
      return "the message was not accepted";
    case base::Fault::not_permitted:
      return "sending was not permitted";
    default:
      return "it could not be handed over in time";
  }
}

std::string reason(const base::Error& error, bool inside) {
  std::string out;
  const std::string said = base::clean(error.said, said_limit_bytes);
  if (inside) {
    out = "    " + base::clean(error.cause, said_limit_bytes) + "\r\n";
    if (!error.cure.empty())
      out += "    to do: " + base::clean(error.cure, said_limit_bytes) + "\r\n";
  } else if (said.empty()) {
    out = "    " + generic(error) + "\r\n";
  }
  if (!said.empty()) out += "    the provider said: \"" + said + "\"\r\n";
  return out;
}

// RFC 3461 4 back to what was meant; as it is when that is not printable.
std::string from_xtext(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::int64_t high = 0;
    if (text[i] != '+' || i + 2 >= text.size()) {
      out += text[i];
      continue;
    }
    const auto digit = [](char c) -> std::int64_t {
      if (base::is_digit(c)) return c - '0';
      return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
    };
    high = digit(text[i + 1]) * 16 + digit(text[i + 2]);
    if (high < 0x20 || high > 0x7E) return std::string(text);
    out += static_cast<char>(high);
    i += 2;
  }
  return out;
}

// RFC 3464 2.3.2; RFC 6533 3 (utf-8-addr-xtext) where it is not ASCII.
std::string typed_address(const mail::Mailbox& mailbox) {
  const std::string text = mailbox.text();
  if (base::is_ascii(text)) return "rfc822;" + base::clean(text, 320);
  std::string out = "utf-8;";
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    unsigned point = first < 0x80 ? first : first & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k)
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    i += length;
    if (point > 0x20 && point < 0x7F && point != '+' && point != '\\' && point != '=') {
      out += static_cast<char>(point);
      continue;
    }
    std::array<char, 16> hex{};
    std::snprintf(hex.data(), hex.size(), "\\x{%02X}", point);
    out += hex.data();
  }
  return out;
}

const char* action(Notice notice) {
  switch (notice) {
    case Notice::failed:
      return "failed";
    case Notice::delayed:
      return "delayed";
    case Notice::relayed:
      break;
  }
  return "relayed";
}

// RFC 3463; what was never said by a server is "other".
std::string status_of(const base::Error& error, Notice notice) {
  const char wanted = notice == Notice::failed ? '5' : notice == Notice::delayed ? '4' : '2';
  const bool fits =
      error.status.size() >= 5 && base::is_ascii(error.status) &&
      !base::has_control(error.status) &&
      (error.status[0] == wanted || (notice == Notice::failed && error.status[0] == '4'));
  if (fits) return base::clean(error.status, 16);
  // Given up after all this time: RFC 3463 3.5.
  if (notice == Notice::failed && error.kind == base::FaultClass::temporary) return "4.4.7";
  return std::string(1, wanted) + ".0.0";
}

const char* opening(Notice notice) {
  switch (notice) {
    case Notice::failed:
      return "Your message was not delivered to:\r\n\r\n";
    case Notice::delayed:
      return "Your message is still waiting. It was not yet delivered to:\r\n\r\n";
    case Notice::relayed:
      break;
  }
  return "Your message was handed on. Whether it arrives will not be reported for:\r\n\r\n";
}

}  // namespace

std::string words_for_people(const BounceFacts& facts, const mail::SenderRules& rules,
                             bool inside) {
  std::string out = opening(facts.notice);
  for (const Failure& one : facts.failures) {
    out += shown(one.recipient.mailbox) + "\r\n";
    if (facts.notice != Notice::relayed) out += reason(one.error, inside);
  }
  if (facts.notice == Notice::delayed) {
    out += "\r\nThere is nothing you need to do. It is tried until " +
           base::rfc5322_date(facts.until_wall_s) + ".\r\n";
  }
  out += "\r\nIt came in on " + base::rfc5322_date(facts.arrived_wall_s) + " as " + facts.of;
  out += inside ? ", for account " + base::clean(rules.account, 64) + ".\r\n" : ".\r\n";
  return out;
}

std::string status_part(const BounceFacts& facts, const mail::Envelope& envelope,
                        const mail::SenderRules& rules) {
  const std::string domain = !rules.sender_domain.empty() ? rules.sender_domain : rules.user.domain;
  std::string out = "Reporting-MTA: dns; " + base::clean(domain, 255) + "\r\n";
  if (!envelope.envid.empty())
    out += "Original-Envelope-Id: " + base::clean(from_xtext(envelope.envid), 128) + "\r\n";
  out += "Arrival-Date: " + base::rfc5322_date(facts.arrived_wall_s) + "\r\n";
  for (const Failure& one : facts.failures) {
    out += "\r\n";
    if (!one.recipient.orcpt.empty())
      out += "Original-Recipient: " + base::clean(from_xtext(one.recipient.orcpt), 512) + "\r\n";
    out += "Final-Recipient: " + typed_address(one.recipient.mailbox) + "\r\n";
    out += std::string("Action: ") + action(facts.notice) + "\r\n";
    out += "Status: " + status_of(one.error, facts.notice) + "\r\n";
    const std::string said = base::clean(one.error.said, said_limit_bytes);
    if (!said.empty()) out += "Diagnostic-Code: smtp; " + said + "\r\n";
    if (facts.notice == Notice::delayed)
      out += "Will-Retry-Until: " + base::rfc5322_date(facts.until_wall_s) + "\r\n";
  }
  return out;
}

std::string summary_row(const Told& told, bool inside) {
  std::string out = "\r\n" + base::rfc5322_date(told.arrived_wall_s) + "  " + told.id + "\r\n";
  if (!told.subject.empty()) out += "    subject: " + base::clean(told.subject, 200) + "\r\n";
  if (!told.message_id.empty())
    out += "    message-id: " + base::clean(told.message_id, 250) + "\r\n";
  for (const Failure& one : told.failures) {
    out += "    to: " + shown(one.recipient.mailbox) + "\r\n" + reason(one.error, inside);
  }
  return out;
}

}  // namespace queue
