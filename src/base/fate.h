// fate: what became of one recipient of one delivery. A delivery has no error channel: it answers
// with one Fate per recipient, in the order of the envelope.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace base {

struct Fate {
  enum class State : std::uint8_t {
    delivered,  // the provider answers for it now
    deferred,   // not sent; try again
    refused,    // never
    held,       // not sent; the account needs a person
    unknown,    // the final reply was lost
  };
  std::string recipient{};  // as in RCPT TO, without brackets
  State state = State::deferred;
  Error error{};       // meaningless when delivered
  std::string said{};  // delivered: the provider's final reply, which may hold its message id
  // Not handed over to anybody, because this account's way cannot carry this message: another may.
  // Each means the ones before it, too.
  enum class Detour : std::uint8_t { none, fallback, fallback_or_smtp };
  Detour detour = Detour::none;
};

}  // namespace base
