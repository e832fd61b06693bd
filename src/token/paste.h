// paste: what a person pasted, made an answer: the whole last address, or its query, or the code
// alone; wrapped, quoted, in <> or with blanks, as terminals and chats deliver it. Source: issue
// "Signing in". Limits: 16 KiB. Errors (Fault::usage, with the cure): no code in it; the address
// that was to be opened; another sign-in's state.
#pragma once

#include <string_view>

#include "base/result.h"
#include "token/redirect.h"

namespace token {

base::Result<RedirectAnswer> read_pasted(std::string_view text, std::string_view state);

}  // namespace token
