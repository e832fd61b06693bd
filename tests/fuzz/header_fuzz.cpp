// libFuzzer target: splitting a message and finding its recipients. The header that leaves reads
// back as the same fields, the body keeps its bytes, and no recipient can end a line.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mail/read.h"

namespace {

constexpr std::size_t enough = 1UL << 26;

void must(bool holds) {
  if (!holds) __builtin_trap();
}

base::Scratch normal(std::string_view raw) {
  base::Scratch bytes;
  mail::LineEnds lines(bytes);
  must(lines.feed(raw).ok() && lines.finish().ok());
  return bytes;
}

// A CR or LF in a field is a fold: CR LF blank.
void check_folds(std::string_view body) {
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\r' && body[i] != '\n') continue;
    must(body.substr(i, 2) == "\r\n" && i + 2 < body.size() && base::is_blank(body[i + 2]));
    ++i;
  }
}

void check_recipients(const mail::Header& header) {
  mail::Envelope envelope;
  const base::Done added = mail::add_header_recipients(envelope, header);
  if (!added) must(!base::has_control(added.error().cause));
  for (const mail::Recipient& recipient : envelope.recipients) {
    must(!base::has_control(recipient.mailbox.text()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::Scratch bytes = normal({reinterpret_cast<const char*>(data), size});
  const std::string all = *bytes.all(enough);
  const auto message = mail::split(std::move(bytes));
  if (!message) return 0;
  const std::string header = message->header.text();
  const std::string body = all.substr(static_cast<std::size_t>(message->body_offset));
  must(header.find('\0') == std::string::npos);
  for (const mail::Field& field : message->header.fields) check_folds(field.body);
  const auto again = mail::split(normal(header + "\r\n" + body));
  must(again.ok() && again->header.text() == header);
  must(again->body_bytes() == body.size() &&
       again->body_has_long_line == message->body_has_long_line);
  must(again->body_is_8bit == message->body_is_8bit &&
       again->body_has_nul == message->body_has_nul);
  check_recipients(message->header);
  return 0;
}
