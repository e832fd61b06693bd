// smtp_commands: a prepared message as one server can take it: re-encoded where it must be, its
// addresses spelled so that the server understands them, MAIL and RCPT with the parameters that it
// offers. Source: RFC 5321 4.1.1; RFC 1870 (SIZE), 3461 (DSN), 6152 (8BITMIME), 6531 (SMTPUTF8).
// Errors: Fault::bad_message (5.6.7: no SMTPUTF8; 5.3.4: too large). Trusts: no address to be fit
// for the wire.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/deliver.h"
#include "transport/smtp.h"

namespace transport {

struct Commands {
  std::string mail{};                             // with CRLF
  std::vector<base::Result<std::string>> rcpt{};  // one a recipient, or why there is none
};

// Changes the message: a domain goes as A-labels, a body is re-encoded.
base::Result<Commands> adapt(const Delivery& delivery, const Capabilities& offers);

// Message larger than `limit`: the error that says so with `whose` limit it is.
base::Error too_large(std::uint64_t size, std::uint64_t limit, const std::string& whose);

}  // namespace transport
