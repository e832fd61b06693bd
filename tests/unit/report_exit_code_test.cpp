#include "report/exit_code.h"

#include "catch.h"
#include "report/tell.h"

namespace {
base::Fate fate(base::Fate::State state, base::Fault fault) {
  base::Fate one;
  one.recipient = "a@b";
  one.state = state;
  one.error = base::failure(fault, "cause");
  return one;
}
}  // namespace

TEST_CASE("exit_code: one code a fault, as the design's table has it", "[report]") {
  using base::Fault;
  CHECK(report::exit_code(Fault::usage) == 64);
  CHECK(report::exit_code(Fault::bad_message) == 65);
  CHECK(report::exit_code(Fault::bad_recipient) == 67);
  CHECK(report::exit_code(Fault::unavailable) == 69);
  CHECK(report::exit_code(Fault::outcome_unknown) == 69);
  CHECK(report::exit_code(Fault::bug) == 70);
  CHECK(report::exit_code(Fault::os) == 71);
  CHECK(report::exit_code(Fault::cannot_create) == 73);
  CHECK(report::exit_code(Fault::io) == 74);
  CHECK(report::exit_code(Fault::protocol) == 76);
  CHECK(report::exit_code(Fault::not_permitted) == 77);
  CHECK(report::exit_code(Fault::config) == 78);
  CHECK(report::exit_code(Fault::sign_in_needed) == 78);
}

TEST_CASE("exit_code: 0 only when every recipient is delivered, else the worst fate", "[report]") {
  using State = base::Fate::State;
  std::vector<base::Fate> fates = {fate(State::delivered, base::Fault::bug)};
  CHECK(report::exit_code(fates) == 0);
  fates.push_back(fate(State::deferred, base::Fault::unavailable));
  CHECK(report::exit_code(fates) == 69);
  fates.push_back(fate(State::refused, base::Fault::bad_recipient));
  CHECK(report::exit_code(fates) == 67);
  fates.push_back(fate(State::unknown, base::Fault::outcome_unknown));
  CHECK(report::exit_code(fates) == 69);
}

TEST_CASE("exit_code: of two deferred recipients the one the server spoke about decides",
          "[report]") {
  using State = base::Fate::State;
  std::vector<base::Fate> fates = {fate(State::deferred, base::Fault::unavailable),
                                   fate(State::deferred, base::Fault::unavailable)};
  fates[1].error.said = "450 4.2.0 busy";
  CHECK(report::deciding_error(fates) == &fates[1].error);
  std::swap(fates[0], fates[1]);
  CHECK(report::deciding_error(fates) == &fates[0].error);
}

TEST_CASE("exit_code: R16 69 becomes 75 only where temporary_exit asks for it", "[report]") {
  CHECK(report::with_temporary_exit(69, 0) == 69);
  CHECK(report::with_temporary_exit(69, 75) == 75);
  CHECK(report::with_temporary_exit(78, 75) == 78);
  CHECK(report::with_temporary_exit(0, 75) == 0);
}

TEST_CASE("tell: account, cause, cure and the server's words, in one line", "[report]") {
  base::Error error =
      base::failure(base::Fault::sign_in_needed, "sign-in expired", "run: mailbearer login work");
  CHECK(report::tell(error) == "not sent: sign-in expired; run: mailbearer login work");
  error.account = "work";
  error.said = "535 5.7.3 No\nForged: line";
  CHECK(report::tell(error) ==
        "not sent (work): sign-in expired; run: mailbearer login work "
        "[server: \"535 5.7.3 No\\x0aForged: line\"]");
}

TEST_CASE("tell: an unknown outcome says so first, and not that nothing was sent", "[report]") {
  base::Error error =
      base::failure(base::Fault::outcome_unknown,
                    "outcome unknown, may have been delivered: connection lost", "look");
  error.account = "work";
  CHECK(report::tell(error) ==
        "outcome unknown, may have been delivered (work): connection lost; look");
}
