// libFuzzer target: address lists. Whatever goes in, a mailbox that comes out is clean UTF-8 and
// reads back as itself, and an error fits on one line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/text.h"
#include "mail/address.h"

namespace {

void must(bool holds) {
  if (!holds) __builtin_trap();
}

void check_mailbox(const mail::Mailbox& mailbox) {
  const std::string text = mailbox.text();
  must(!base::has_control(text) && base::is_utf8(text));
  const auto again = mail::parse_mailbox(text);
  must(again.ok() && again->local == mailbox.local && again->domain == mailbox.domain);
}

void check_list(std::string_view text, mail::Written written) {
  const auto list = mail::parse_address_list(text, written);
  if (!list) return must(!base::has_control(list.error().cause));
  for (const mail::Address& address : *list) check_mailbox(address.mailbox);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_list(text, mail::Written::in_header);
  check_list(text, mail::Written::in_argument);
  const auto path = mail::parse_reverse_path(text);
  if (path && !path->null()) check_mailbox(*path);
  const auto alone = mail::parse_mailbox(text);
  if (alone) check_mailbox(*alone);
  const std::string phrase = mail::quote_phrase(text);
  must(!base::has_control(phrase));
  must(mail::parse_address_list(phrase + " <a@x>").ok());
  return 0;
}
