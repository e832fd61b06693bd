#include "transport/detour.h"

#include "catch.h"

using base::Fault;
using Detour = base::Fate::Detour;
using State = base::Fate::State;

namespace {

base::Fate fate(State state, Fault fault, Detour detour = Detour::none) {
  base::Fate out;
  out.state = state;
  out.error = base::failure(fault, "cause");
  out.detour = detour;
  return out;
}

}  // namespace

TEST_CASE("detour: what this way cannot carry, and what a person must cure", "[transport]") {
  const base::Fate stray = fate(State::refused, Fault::not_permitted, Detour::fallback);
  const base::Fate large = fate(State::refused, Fault::bad_message, Detour::fallback_or_smtp);
  const base::Fate dead = fate(State::held, Fault::sign_in_needed);
  CHECK(transport::detour_of({stray}) == Detour::fallback);
  CHECK(transport::detour_of({large, large}) == Detour::fallback_or_smtp);
  CHECK(transport::detour_of({stray, large}) == Detour::fallback);
  CHECK(transport::detour_of({dead, dead}) == Detour::fallback);
  CHECK(transport::detour_of({fate(State::held, Fault::config)}) == Detour::fallback);
}

TEST_CASE("detour: never where it may have gone, where repeating helps, or where all is said",
          "[transport]") {
  const base::Fate dead = fate(State::held, Fault::sign_in_needed);
  CHECK(transport::detour_of({}) == Detour::none);
  CHECK(transport::detour_of({fate(State::deferred, Fault::unavailable)}) == Detour::none);
  CHECK(transport::detour_of({fate(State::refused, Fault::bad_recipient)}) == Detour::none);
  CHECK(transport::detour_of({fate(State::held, Fault::not_permitted)}) == Detour::none);
  CHECK(transport::detour_of({dead, fate(State::refused, Fault::bad_recipient)}) == Detour::none);
  for (const State state : {State::delivered, State::unknown}) {
    CHECK(transport::detour_of({dead, fate(state, Fault::outcome_unknown, Detour::fallback)}) ==
          Detour::none);
  }
}
