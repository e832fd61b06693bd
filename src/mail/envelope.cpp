#include "mail/envelope.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace mail {

namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool is_resent(const Field& field) {
  return base::starts_with_ignoring_case(field.name, "Resent-");
}

// The end of the newest block that begins at `first`.
std::size_t end_of_block(const std::vector<Field>& fields, std::size_t first) {
  std::set<std::string> names;
  std::size_t end = first;
  while (end < fields.size() && is_resent(fields[end]) &&
         names.insert(base::lower(fields[end].name)).second) {
    ++end;
  }
  return end;
}

base::Done add_list(Envelope& envelope, const std::vector<Address>& list) {
  for (const Address& address : list) {
    if (is_special_form(address.mailbox)) {
      return base::failure(base::Fault::bad_message,
                           "bad address \"" + base::clean(address.mailbox.text(), 40) +
                               "\" (no program, file or list)",
                           "write user@domain");
    }
    add_recipient(envelope, Recipient{address.mailbox, {}, {}});
  }
  return base::done();
}

// A list of nothing else stays: it shall not be taken for one that names nobody.
void drop_torn_words(std::vector<Address>& list) {
  const auto torn = [](const Address& address) { return is_torn_word(address.mailbox); };
  if (!std::all_of(list.begin(), list.end(), torn)) std::erase_if(list, torn);
}

base::Done add_field(Envelope& envelope, const Field& field) {
  base::Result<std::vector<Address>> list = parse_address_list(field.body);
  if (list) drop_torn_words(*list);
  base::Done added = list ? add_list(envelope, *list) : base::Done(std::move(list).error());
  if (added) return added;
  base::Error error = std::move(added).error();
  error.cause += " in " + base::clean(field.name, 40);
  return error;
}

base::Done add_fields(Envelope& envelope, const std::vector<Field>& fields, std::size_t first,
                      std::size_t end, std::string_view prefix) {
  static constexpr std::array<std::string_view, 3> names = {"To", "Cc", "Bcc"};
  for (std::size_t i = first; i < end; ++i) {
    const std::string_view name = fields[i].name;
    if (!base::starts_with_ignoring_case(name, prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    const bool wanted = std::any_of(names.begin(), names.end(), [rest](std::string_view known) {
      return base::same_ignoring_case(rest, known);
    });
    if (!wanted) continue;
    base::Done added = add_field(envelope, fields[i]);
    if (!added) return added;
  }
  return base::done();
}

}  // namespace

bool add_recipient(Envelope& envelope, Recipient recipient) {
  if (envelope.known.size() != envelope.recipients.size()) {
    envelope.known.clear();
    for (const Recipient& there : envelope.recipients) {
      envelope.known.insert(identity(there.mailbox));
    }
  }
  if (!envelope.known.insert(identity(recipient.mailbox)).second) return false;
  envelope.recipients.push_back(std::move(recipient));
  return true;
}

base::Done add_argument(Envelope& envelope, std::string_view argument) {
  base::Result<std::vector<Address>> list = parse_address_list(argument, Written::in_argument);
  if (!list) return std::move(list).error();
  // A list may name nobody ("undisclosed:;"), but not say nothing.
  if (list->empty() && argument.find(':') == std::string_view::npos) {
    return base::failure(base::Fault::usage, "empty recipient",
                         "name each recipient as user@domain");
  }
  return add_list(envelope, *list);
}

base::Done add_header_recipients(Envelope& envelope, const Header& header) {
  const std::vector<Field>& fields = header.fields;
  const auto found = std::find_if(fields.begin(), fields.end(), is_resent);
  const bool resent = found != fields.end();
  const auto first = static_cast<std::size_t>(resent ? found - fields.begin() : 0);
  const std::size_t end = resent ? end_of_block(fields, first) : fields.size();
  base::Done added = add_fields(envelope, fields, first, end, resent ? "Resent-" : "");
  if (!added) return added;
  if (!envelope.recipients.empty()) return base::done();
  if (resent) {
    return base::failure(base::Fault::bad_message, "no recipient found in the newest Resent- block",
                         "add Resent-To, or remove the Resent- fields");
  }
  return base::failure(base::Fault::bad_message, "no recipient found in To, Cc or Bcc",
                       "add a To: line, or name the recipient as an argument");
}

std::string to_xtext(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c < 0x7F && c != '+' && c != '=') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '+';
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 15];
  }
  return out;
}

bool is_xtext(std::string_view text) {
  const auto is_hex = [](char c) { return hex_digits.find(c) != std::string_view::npos; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= ' ' || c >= 0x7F || c == '=') return false;
    if (c != '+') continue;
    if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
    i += 2;
  }
  return true;
}

}  // namespace mail
