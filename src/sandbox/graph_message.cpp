#include "sandbox/graph_message.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"
#include "mail/address.h"
#include "sandbox/message_check.h"

namespace sandbox {

namespace {

// What survives --graph-drop-headers, beside Content- and X- fields.
constexpr std::array<std::string_view, 21> known_fields = {"From",
                                                           "Sender",
                                                           "To",
                                                           "Cc",
                                                           "Reply-To",
                                                           "Subject",
                                                           "Date",
                                                           "Message-ID",
                                                           "In-Reply-To",
                                                           "References",
                                                           "MIME-Version",
                                                           "Importance",
                                                           "Priority",
                                                           "Sensitivity",
                                                           "Thread-Topic",
                                                           "Thread-Index",
                                                           "Keywords",
                                                           "Comments",
                                                           "Received",
                                                           "Disposition-Notification-To",
                                                           "Return-Receipt-To"};

bool is_dropped(const std::string& name, const GraphQuirks& quirks) {
  if (base::same_ignoring_case(name, "Bcc")) return true;
  if (base::starts_with_ignoring_case(name, "X-")) return quirks.drop_x_headers;
  if (!quirks.drop_headers || base::starts_with_ignoring_case(name, "Content-")) return false;
  return std::none_of(known_fields.begin(), known_fields.end(),
                      [&](std::string_view one) { return base::same_ignoring_case(one, name); });
}

GraphError bad_mime(const std::string& why) {
  return {400, "ErrorMimeContentConversionFailed", why, {}};
}

GraphError bad_recipients(const std::string& why) {
  return {400, "ErrorInvalidRecipients", "At least one recipient isn't valid., " + why, {}};
}

// Some callers write LF alone; the service takes it.
std::string with_crlf(const std::string& mime) {
  if (mime.find("\r\n") != std::string::npos) return mime;
  std::string out;
  for (const char c : mime) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

std::optional<GraphError> add_recipients(const HeaderField& field, std::set<std::string>& seen,
                                         GraphMessage& message) {
  const base::Result<std::vector<mail::Address>> list = mail::parse_address_list(field.value);
  if (!list) return bad_recipients("A message can't be sent because an address is malformed.");
  for (const mail::Address& one : *list) {
    if (!one.mailbox.qualified()) {
      return bad_recipients("Recipient '" + base::clean(one.mailbox.text(), 100) +
                            "' is not resolved.");
    }
    if (seen.insert(mail::identity(one.mailbox)).second) {
      message.recipients.push_back(one.mailbox.text());
    }
  }
  return std::nullopt;
}

bool is_one_of(const std::string& name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view one) { return base::same_ignoring_case(one, name); });
}

}  // namespace

std::optional<GraphError> decode_mime(std::string_view text, std::string& mime) {
  std::string packed(text);
  packed.erase(std::remove_if(packed.begin(), packed.end(),
                              [](char c) { return base::is_blank(c) || c == '\r' || c == '\n'; }),
               packed.end());
  base::Result<std::string> decoded = base::from_base64(packed);
  if (!decoded || decoded->empty()) {
    return GraphError{
        400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.", {}};
  }
  mime = std::move(decoded).value();
  return std::nullopt;
}

std::optional<GraphError> read_graph_message(const std::string& mime, const GraphQuirks& quirks,
                                             GraphMessage& message) {
  const std::string whole = with_crlf(mime);
  std::set<std::string> seen;
  std::size_t end = 0;
  for (const HeaderField& field : header_fields(whole)) {
    end = field.start + field.length;
    if (is_one_of(field.name, {"To", "Cc", "Bcc"})) {
      std::optional<GraphError> wrong = add_recipients(field, seen, message);
      if (wrong) return wrong;
    }
    if (is_one_of(field.name, {"From"})) {
      if (!message.from.empty()) return bad_mime("There are several From fields.");
      message.from = addresses_in(field.value);
    }
    if (is_one_of(field.name, {"Subject"})) message.subject = base::trim(field.value);
    if (is_dropped(field.name, quirks)) continue;
    message.header += whole.substr(field.start, field.length);
  }
  if (end == 0) return bad_mime("There is no header.");
  if (end > header_limit_bytes) return bad_mime("The header is too long.");
  message.message_id = own_message_id(message.header);
  message.body = whole.compare(end, 2, "\r\n") == 0 ? whole.substr(end + 2) : whole.substr(end);
  return std::nullopt;
}

std::optional<GraphError> judge_graph_message(const GraphMessage& message, const User& mailbox,
                                              const GraphQuirks& quirks) {
  if (message.recipients.empty()) {
    return bad_recipients("A message can't be sent because it contains no recipients.");
  }
  if (static_cast<std::int64_t>(message.recipients.size()) > quirks.recipient_limit) {
    return GraphError{400,
                      "ErrorExceededMaxRecipientLimit",
                      "The message has more recipients than the " +
                          std::to_string(quirks.recipient_limit) + " that are allowed.",
                      {}};
  }
  for (const std::string& one : message.from) {
    if (may_send_as(mailbox, one)) continue;
    return GraphError{403,
                      "ErrorSendAsDenied",
                      "The user account which was used to submit this request does not have the "
                      "right to send mail on behalf of the specified sending account., Cannot "
                      "submit message.",
                      {}};
  }
  return std::nullopt;
}

}  // namespace sandbox
