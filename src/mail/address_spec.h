// address_spec: one mailbox out of its tokens. Source: RFC 5322 3.4.1 and 4.4, RFC 5321 4.1.2.
// Internal to the room. Errors are reasons: static text for the sentence of address_list.cpp.
#pragma once

#include <vector>

#include "mail/address.h"
#include "mail/address_tokens.h"

namespace mail {

using Reason = const char*;  // null: none

// Reads the tokens from `first` on as local-part "@" domain, or as a local part alone.
Reason read_address_spec(const std::vector<Token>& tokens, std::size_t first, Mailbox& into);

// What stands in angle brackets: a route may come first; nothing is the null mailbox.
Reason read_angle(const std::vector<Token>& tokens, Written written, Mailbox& into);

// Tokens as the display name they mean.
std::string phrase_of(const std::vector<Token>& tokens);

}  // namespace mail
