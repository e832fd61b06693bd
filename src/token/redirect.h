// redirect: what a sign-in page sends back: the query of the last address, read the same way
// whether a browser brought it (loopback) or a person pasted it (paste). Source: RFC 6749 4.1.2,
// 4.1.2.1; RFC 8252. Limits: 16 KiB, 32 fields. Trusts: nothing; texts are cleaned. A field that
// comes twice, a broken percent escape or a control byte in the code makes it no answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace token {

struct RedirectAnswer {
  base::Secret code{};
  std::string error{};        // "access_denied"; empty: there is a code
  std::string description{};  // the provider's own words, cleaned
};

struct Redirect {
  std::string state{};
  RedirectAnswer answer{};  // neither code nor error: it answers nothing
  bool answers() const { return !answer.code.empty() || !answer.error.empty(); }
};

// "code=...&state=...", without the question mark.
std::optional<Redirect> read_redirect(std::string_view query);

// Takes as long for every text of one length: how much of it is right cannot be measured.
bool same_secret_text(std::string_view a, std::string_view b);

}  // namespace token
