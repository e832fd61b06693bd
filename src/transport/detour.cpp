#include "transport/detour.h"

#include <algorithm>

namespace transport {

namespace {

using State = base::Fate::State;
using Detour = base::Fate::Detour;

Detour detour_of(const base::Fate& fate) {
  if (fate.detour != Detour::none) return fate.detour;
  const bool needs_a_person =
      fate.state == State::held &&
      (fate.error.fault == base::Fault::sign_in_needed || fate.error.fault == base::Fault::config);
  return needs_a_person ? Detour::fallback : Detour::none;
}

}  // namespace

Detour detour_of(const std::vector<base::Fate>& fates) {
  // One recipient that may have it already forbids all, and what is said of one holds for one.
  if (fates.empty()) return Detour::none;
  Detour out = Detour::fallback_or_smtp;
  for (const base::Fate& fate : fates) {
    if (fate.state == State::delivered || fate.state == State::unknown) return Detour::none;
    out = std::min(out, detour_of(fate));
  }
  return out;
}

}  // namespace transport
