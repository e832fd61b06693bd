// probe: whether an account's server lets it in: connect, greet, secure, AUTH, QUIT, as a delivery
// does, and no message. For `login`, `doctor`. Says which step it got to. Errors: those of a
// delivery, judged by base/replies, with the account's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "account/account.h"
#include "base/error.h"
#include "base/trace.h"
#include "transport/deliver.h"
#include "transport/smtp.h"

namespace transport {

struct Probe {
  enum class Reached : std::uint8_t { nothing, session, signed_in };
  Reached reached = Reached::nothing;
  std::optional<base::Error> error{};
  std::string server{};
  std::vector<std::string> mechanisms{};  // offered for AUTH
};

// SMTP only. An account with auth = none is not asked for anything: a session is all there is.
Probe probe_smtp(const account::Account& account, const Credential& credential,
                 const base::Trace& trace = {});
// The same over another wire, for tests.
Probe probe_smtp(const account::Account& account, const Credential& credential, Wire& wire,
                 const base::Trace& trace = {});

}  // namespace transport
