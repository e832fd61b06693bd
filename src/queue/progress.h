// progress: what has become of a queued message so far: one state per recipient, the account and
// the message as they leave, when it is tried again, why it waits. Plain values; the fold of the
// notes that the spool file holds (format.h). Times: queue time (clock.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fate.h"
#include "mail/envelope.h"
#include "queue/clock.h"

namespace queue {

// Of one recipient. trying: the end of the message may be on its way; where a process died in it,
// its successor reads it as unknown.
enum class State : std::uint8_t { waiting, trying, unknown, delivered, refused };

constexpr std::uint32_t no_reply = UINT32_MAX;

struct RecipientState {
  State state = State::waiting;
  bool told = false;               // refused, and the sender knows, or is not to know
  std::uint32_t reply = no_reply;  // in Progress::replies
};

// Why a message is not tried.
enum class Hold : std::uint8_t {
  none,
  person,         // somebody said so
  unknown,        // its final reply was lost too often
  sender,         // the account may not send as this sender: Send As, policy
  undeliverable,  // a bounce that nobody takes
};

// The account's part, written down once, before the first attempt.
struct Resolution {
  std::string account{};
  mail::Envelope envelope{};
  std::string header{};  // as it leaves
};

struct Progress {
  std::optional<Resolution> resolution{};
  std::vector<RecipientState> recipients{};  // of the resolution, else of the envelope as it came
  std::vector<base::Error> replies{};        // bounded, cleaned
  unsigned attempts = 0;
  unsigned failures = 0;        // deferred attempts in a row
  unsigned unknowns = 0;        // lost final replies
  QueueMs waited_ms = 0;        // its age without holds, at `at_ms`
  QueueMs at_ms = 0;            // of the last note
  QueueMs next_ms = 0;          // for those that wait
  QueueMs next_unknown_ms = 0;  // for those that are unknown
  Hold hold = Hold::none;
  QueueMs held_at_ms = 0;
  std::string hold_cause{};
  bool warned = false;  // of the delay

  // When it is to be tried again, if it is not held.
  QueueMs due_ms() const;
  std::size_t count(State state) const;
  const base::Error* reply_to(std::size_t recipient) const;  // nullptr: none
  bool finished() const;  // every recipient delivered, or refused and told
};

}  // namespace queue
