// notes: what is added to a spool file while the message waits. Internal to the room.
//   RSLV  account, envelope and header as they leave; once, first
//   TRY_  the recipients of an attempt: written and synced before the message's last byte leaves
//   FATE  what became of them, and when the next attempt is due
//   HOLD  why it is not tried, or that it is tried again
//   WARN  its sender was told of the delay
//   TOLD  refused recipients whose sender knows
// Each function yields the whole record and changes the Progress as reading it would.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "queue/pack.h"
#include "queue/progress.h"

namespace queue {

using Indices = std::vector<std::uint32_t>;  // of Progress::recipients, rising

struct Verdicts {
  QueueMs at_ms = 0;
  QueueMs waited_ms = 0;
  QueueMs next_ms = 0;
  QueueMs next_unknown_ms = 0;
  unsigned failures = 0;
  unsigned unknowns = 0;
  struct One {
    std::uint32_t recipient = 0;
    State state = State::waiting;
    base::Error error{};  // empty for delivered
  };
  std::vector<One> each{};
};

struct Holding {
  QueueMs at_ms = 0;
  QueueMs waited_ms = 0;
  Hold kind = Hold::none;  // none: released, due at once
  std::string cause{};
};

std::string note_resolution(Progress& progress, Resolution resolution);
std::string note_try(Progress& progress, QueueMs at_ms, const Indices& recipients);
std::string note_verdicts(Progress& progress, const Verdicts& verdicts);
std::string note_hold(Progress& progress, const Holding& holding);
std::string note_warned(Progress& progress);
std::string note_told(Progress& progress, const Indices& recipients);

// Folds one note in. false: it does not fit.
bool read_note(Progress& progress, std::string_view type, std::string_view payload);
// Whether a note of this name is known here.
bool is_note(std::string_view type);

void pack_envelope(Pack& pack, const mail::Envelope& envelope);
mail::Envelope unpack_envelope(Unpack& unpack);

}  // namespace queue
