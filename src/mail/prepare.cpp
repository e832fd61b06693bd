#include "mail/prepare.h"

#include "base/text.h"
#include "mail/complete.h"
#include "mail/idn.h"
#include "mail/mime.h"

namespace mail {
namespace {

constexpr std::size_t received_limit = 30;

// Fields that never leave. RFC 5322 3.6.3 (Bcc), RFC 5321 4.4 (Return-Path is the last server's).
bool is_dropped(const Field& field) {
  const std::string_view name = base::trim(field.name);
  for (const std::string_view one : {"Bcc", "Resent-Bcc", "Return-Path", "Content-Length"})
    if (base::same_ignoring_case(name, one)) return true;
  return false;
}

// Line ends only as folds, and no continuation line of blanks alone. Split() leaves nothing to
// mend; this holds the promise of Prepared for every maker of a submission.
std::string mended(std::string_view body) {
  std::string out;
  std::size_t line_begin = 0;  // in out
  const auto drop_blank_line = [&] {
    if (line_begin > 0 && base::trim(std::string_view(out).substr(line_begin)).empty())
      out.resize(line_begin - 2);
  };
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    const bool fold =
        body.substr(i, 2) == "\r\n" && i + 2 < body.size() && base::is_blank(body[i + 2]);
    if (fold) {
      drop_blank_line();
      out += "\r\n";
      line_begin = out.size();
      ++i;
    } else {
      out += c == '\r' || c == '\n' ? ' ' : c;
    }
  }
  drop_blank_line();
  return out;
}

base::Done clean_up(Header& header) {
  std::erase_if(header.fields, is_dropped);
  for (Field& field : header.fields) {
    if (field.body.find('\0') != std::string::npos || field.name.find('\0') != std::string::npos)
      return base::failure(base::Fault::bad_message, "NUL byte in the message header", "remove it");
    if (field.body.find_first_of("\r\n") != std::string::npos) field.body = mended(field.body);
  }
  const std::size_t hops = header.count("Received");
  if (hops > received_limit)
    return base::failure(base::Fault::bad_message,
                         "mail loop (" + std::to_string(hops) + " Received fields)",
                         "look for a forward that leads back here");
  return base::done();
}

Completion completion(const Submission& submission, const SenderRules& rules) {
  Completion facts;
  facts.at = submission.at;
  facts.id = submission.id;
  const std::string& domain = rules.sender_domain.empty() ? rules.user.domain : rules.sender_domain;
  const base::Result<std::string> labels = to_a_labels(domain);
  facts.domain = labels.ok() ? labels.value() : "localhost.invalid";
  const bool user =
      rules.rewrite_from == SenderRules::RewriteFrom::always || submission.envelope.sender.null();
  facts.sender = user ? rules.user : submission.envelope.sender;
  return facts;
}

}  // namespace

std::uint64_t Prepared::size_bytes() const {
  return message.header.text().size() + 2 + message.body_bytes();
}

bool Prepared::needs_smtputf8() const {
  if (!envelope.sender.ascii()) return true;
  for (const Recipient& recipient : envelope.recipients)
    if (!recipient.mailbox.ascii()) return true;
  for (const Field& field : message.header.fields)
    if (!base::is_ascii(field.body) || !base::is_ascii(field.name)) return true;
  return false;
}

base::Result<Prepared> prepare(Submission submission, const SenderRules& rules) {
  Header& header = submission.message.header;
  Envelope& envelope = submission.envelope;
  base::Done step = clean_up(header);
  if (step.ok() && envelope.recipients.empty())
    step = base::failure(base::Fault::bad_message, "no recipient", "name one");
  if (step.ok()) step = rewrite_senders(rules, envelope, header);
  if (step.ok()) step = resolve_recipients(rules, envelope);
  if (!step.ok()) return std::move(step).error();
  qualify_header(rules, header);
  complete(header, completion(submission, rules));
  encode_header(header);
  label_8bit_body(submission.message);
  step = fold_long_fields(header);
  if (!step.ok()) return std::move(step).error();
  Prepared prepared;
  prepared.envelope = std::move(submission.envelope);
  prepared.message = std::move(submission.message);
  prepared.id = std::move(submission.id);
  return prepared;
}

base::Result<base::Scratch> whole(const Prepared& prepared) {
  base::Scratch out;
  base::Done step = out.append(prepared.message.header.text());
  if (step.ok()) step = out.append("\r\n");
  if (step.ok())
    step = prepared.message.bytes.each_piece(
        prepared.message.body_offset, [&](std::string_view piece) { return out.append(piece); });
  if (!step.ok()) return std::move(step).error();
  return out;
}

base::Done replace_whole(Prepared& prepared, base::Scratch bytes) {
  base::Result<Message> message = split(std::move(bytes));
  if (!message.ok()) return std::move(message).error();
  prepared.message = std::move(message).value();
  return base::done();
}

}  // namespace mail
