// message_check: what Exchange Online finds out from a message's header section.
// Source: facts/providers.md 2.6-2.8. Limits: 256 KiB for the section, 32 KiB a field.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/seed.h"

namespace sandbox {

constexpr std::size_t header_limit_bytes = 256 * 1024;
constexpr std::size_t field_limit_bytes = 32 * 1024;

struct HeaderField {
  std::string name{};
  std::string value{};  // unfolded
  std::size_t start = 0;
  std::size_t length = 0;  // of the raw bytes with the last CRLF
};

std::vector<HeaderField> header_fields(std::string_view section);

// The addresses of a From field: what stands in angle brackets, else the whole, by piece. A piece
// without an address is empty.
std::vector<std::string> addresses_in(std::string_view value);

// The reply that refuses the message, or empty. `user`: who signed in; none: sender rights are not
// looked at.
std::string judge_header(std::string_view section, const User* user, const std::string& host);

// The section with the service's own Message-ID, the first one kept in
// X-Microsoft-Original-Message-ID.
std::string replace_message_id(std::string_view section, const std::string& new_id);
// The id in the message's own Message-ID, without brackets; empty: none.
std::string own_message_id(std::string_view section);

}  // namespace sandbox
