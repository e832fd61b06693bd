#include "sandbox/message_check.h"

#include <algorithm>

#include "base/text.h"

namespace sandbox {

namespace {

// Cuts comments out and splits at the commas that separate addresses. Group syntax does not occur
// in From.
std::vector<std::string> pieces_of(std::string_view value) {
  std::vector<std::string> pieces(1);
  bool quoted = false;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\' && (quoted || depth > 0)) {
      if (depth == 0) pieces.back() += value.substr(i, 2);
      ++i;
      continue;
    }
    if (c == '"' && depth == 0) quoted = !quoted;
    if (!quoted && c == '(') ++depth;
    if (depth == 0) {
      if (!quoted && c == ',') {
        pieces.emplace_back();
      } else {
        pieces.back() += c;
      }
    }
    if (!quoted && c == ')' && depth > 0) --depth;
  }
  return pieces;
}

// Where the last '<' outside quotes stands.
std::size_t opening_bracket(const std::string& piece) {
  bool quoted = false;
  std::size_t at = std::string::npos;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    if (piece[i] == '\\') {
      ++i;
    } else if (piece[i] == '"') {
      quoted = !quoted;
    } else if (piece[i] == '<' && !quoted) {
      at = i;
    }
  }
  return at;
}

bool looks_like_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find_first_of(" \t<>") == std::string_view::npos;
}

std::string judge_from(const std::vector<HeaderField>& fields, const User* user,
                       const std::string& host) {
  std::vector<std::string> from;
  std::size_t from_count = 0;
  bool sender = false;
  for (const HeaderField& field : fields) {
    if (base::same_ignoring_case(field.name, "Sender")) sender = true;
    if (!base::same_ignoring_case(field.name, "From")) continue;
    ++from_count;
    from = addresses_in(field.value);
  }
  const bool sound =
      from_count == 1 && !from.empty() &&
      std::none_of(from.begin(), from.end(), [](const std::string& one) { return one.empty(); });
  if (!sound) {
    return "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant and "
           "include a valid From address";
  }
  if (from.size() > 1 && !sender) {
    return "550 5.1.20 Multiple From addresses are not allowed without Sender address";
  }
  for (const std::string& one : from) {
    if (user == nullptr || may_send_as(*user, one)) continue;
    return "554 5.2.252 SendAsDenied; " + user->name + " not allowed to send as " +
           base::clean(one, 254) +
           "; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; "
           "Failed to process message due to a permanent exception [Hostname=" +
           host + "]";
  }
  return {};
}

}  // namespace

std::vector<HeaderField> header_fields(std::string_view section) {
  std::vector<HeaderField> fields;
  std::size_t at = 0;
  while (at < section.size()) {
    const std::size_t end = section.find("\r\n", at);
    const std::size_t next = end == std::string_view::npos ? section.size() : end + 2;
    const std::string_view line =
        section.substr(at, end == std::string_view::npos ? end : end - at);
    if (!line.empty() && base::is_blank(line[0]) && !fields.empty()) {
      fields.back().value += line;
      fields.back().length += next - at;
    } else {
      const std::size_t colon = line.find(':');
      if (line.empty() || colon == std::string_view::npos) break;
      fields.push_back({std::string(base::trim(line.substr(0, colon))),
                        std::string(line.substr(colon + 1)), at, next - at});
    }
    at = next;
  }
  return fields;
}

std::vector<std::string> addresses_in(std::string_view value) {
  std::vector<std::string> out;
  for (const std::string& piece : pieces_of(value)) {
    const std::size_t open = opening_bracket(piece);
    std::string address;
    if (open == std::string::npos) {
      address = base::trim(piece);
    } else {
      const std::size_t close = piece.find('>', open);
      if (close != std::string::npos) {
        address = base::trim(std::string_view(piece).substr(open + 1, close - open - 1));
      }
    }
    out.push_back(looks_like_address(address) ? address : std::string());
  }
  return out;
}

std::string judge_header(std::string_view section, const User* user, const std::string& host) {
  if (section.size() > header_limit_bytes) {
    return "552 5.3.4 Header size exceeds fixed maximum size";
  }
  const std::vector<HeaderField> fields = header_fields(section);
  for (const HeaderField& field : fields) {
    if (field.value.size() <= field_limit_bytes) continue;
    return "554 5.6.211 Invalid MIME Content: Single text value size (" +
           std::to_string(field.value.size()) + ") exceeded allowed maximum (32768) for the '" +
           base::clean(field.name, 60) + "' header.";
  }
  return judge_from(fields, user, host);
}

std::string replace_message_id(std::string_view section, const std::string& new_id) {
  std::string out = "Message-ID: <" + new_id + ">\r\n";
  std::size_t copied = 0;
  for (const HeaderField& field : header_fields(section)) {
    if (!base::same_ignoring_case(field.name, "Message-ID")) continue;
    out += section.substr(copied, field.start - copied);
    out += "X-Microsoft-Original-Message-ID:" + field.value + "\r\n";
    copied = field.start + field.length;
  }
  out += section.substr(copied);
  return out;
}

std::string own_message_id(std::string_view section) {
  for (const HeaderField& field : header_fields(section)) {
    if (!base::same_ignoring_case(field.name, "Message-ID")) continue;
    const std::string_view value = base::trim(field.value);
    const bool bracketed = value.size() > 2 && value.front() == '<' && value.back() == '>';
    const std::string_view id = bracketed ? value.substr(1, value.size() - 2) : std::string_view();
    const bool sound = id.size() <= 500 && id.find_first_of(" \t<>") == std::string_view::npos;
    return sound && base::is_ascii(id) && !base::has_control(id) ? std::string(id) : std::string();
  }
  return {};
}

}  // namespace sandbox
