#include "transport/smtp_commands.h"

#include <array>
#include <cstdio>
#include <utility>

#include "base/text.h"
#include "mail/idn.h"

namespace transport {

namespace {

std::string in_megabytes(std::uint64_t bytes) {
  if (bytes < 100'000) return std::to_string(bytes) + " octets";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text.data();
}

base::Error no_utf8() {
  base::Error error = base::failure(
      base::Fault::bad_message, "server takes no UTF-8 addresses (5.6.7)", "use an ASCII address");
  error.status = "5.6.7";
  return error;
}

// A domain goes as A-labels unless the local part needs UTF-8 anyhow. One that has none stays as it
// is, and is refused like any other UTF-8.
void spell_domains(mail::Envelope& envelope) {
  const auto spell = [](mail::Mailbox& mailbox) {
    if (base::is_ascii(mailbox.domain) || !base::is_ascii(mailbox.local)) return;
    base::Result<std::string> labels = mail::to_a_labels(mailbox.domain);
    if (labels) mailbox.domain = *labels;
  };
  spell(envelope.sender);
  for (mail::Recipient& one : envelope.recipients) spell(one.mailbox);
}

base::Done reencode(const Delivery& delivery, bool eight_bit) {
  mail::Prepared& message = *delivery.message;
  if (!mail::needs_reencoding(message.message, eight_bit)) return base::done();
  if (!delivery.reencode) {
    return base::failure(base::Fault::bad_message, "server takes the message only re-encoded",
                         "encode its body as quoted-printable or base64");
  }
  base::Result<base::Scratch> before = mail::whole(message);
  if (!before) return std::move(before).error();
  base::Result<base::Scratch> after = delivery.reencode(*before, !eight_bit);
  if (!after) return std::move(after).error();
  return mail::replace_whole(message, std::move(*after));
}

// Whoever made the mailbox: nothing that could end the command or begin another may reach the wire.
base::Result<std::string> wire_address(const mail::Mailbox& mailbox, bool utf8) {
  std::string text = mailbox.text();
  if (!base::is_ascii(text) && !utf8) return no_utf8();
  if (base::has_control(text) || mailbox.domain.find_first_of("<> \"") != std::string::npos) {
    return base::failure(base::Fault::bad_message,
                         "address " + base::clean(text, 128) + " holds a forbidden character",
                         "correct the address");
  }
  return text;
}

std::string mail_parameters(const mail::Prepared& message, const Capabilities& offers, bool utf8) {
  const mail::Envelope& envelope = message.envelope;
  std::string out;
  if (offers.size) out += " SIZE=" + std::to_string(message.size_bytes());
  if (offers.eight_bit && (message.message.body_is_8bit || utf8)) out += " BODY=8BITMIME";
  if (utf8) out += " SMTPUTF8";
  if (offers.dsn && !envelope.ret.empty()) out += " RET=" + envelope.ret;
  if (offers.dsn && !envelope.envid.empty() && mail::is_xtext(envelope.envid)) {
    out += " ENVID=" + envelope.envid;
  }
  return out;
}

std::string rcpt_parameters(const mail::Recipient& recipient, const Capabilities& offers) {
  if (!offers.dsn) return {};
  std::string out;
  if (!recipient.notify.empty()) out += " NOTIFY=" + recipient.notify;
  const std::string_view orcpt = recipient.orcpt;
  const std::size_t type_end = orcpt.find(';');
  if (type_end != std::string_view::npos && mail::is_xtext(orcpt.substr(type_end + 1))) {
    out += " ORCPT=" + recipient.orcpt;
  }
  return out;
}

}  // namespace

base::Error too_large(std::uint64_t size, std::uint64_t limit, const std::string& whose) {
  base::Error error = base::failure(base::Fault::bad_message,
                                    "message is too large (" + in_megabytes(size) + ", " + whose +
                                        " takes " + in_megabytes(limit) + ")",
                                    "send less, or a link");
  error.status = "5.3.4";
  return error;
}

base::Result<Commands> adapt(const Delivery& delivery, const Capabilities& offers) {
  mail::Prepared& message = *delivery.message;
  spell_domains(message.envelope);
  const bool utf8 = message.needs_smtputf8();
  if (utf8 && !offers.smtputf8) return no_utf8();
  base::Done encoded = reencode(delivery, offers.eight_bit);
  if (!encoded) return std::move(encoded).error();
  const std::uint64_t size = message.size_bytes();
  if (offers.size_limit > 0 && size > offers.size_limit) {
    return too_large(size, offers.size_limit, "the server");
  }
  Commands out;
  base::Result<std::string> sender = wire_address(message.envelope.sender, utf8);
  if (!sender) return std::move(sender).error();
  out.mail = "MAIL FROM:<" + *sender + ">" + mail_parameters(message, offers, utf8) + "\r\n";
  for (const mail::Recipient& recipient : message.envelope.recipients) {
    base::Result<std::string> address = wire_address(recipient.mailbox, utf8);
    if (address) {
      *address = "RCPT TO:<" + *address + ">" + rcpt_parameters(recipient, offers) + "\r\n";
    }
    out.rcpt.push_back(std::move(address));
  }
  return out;
}

}  // namespace transport
