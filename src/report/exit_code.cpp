#include "report/exit_code.h"

namespace report {

int exit_code(base::Fault fault) {
  switch (fault) {
    case base::Fault::usage:
      return 64;
    case base::Fault::bad_message:
      return 65;
    case base::Fault::bad_recipient:
      return 67;
    case base::Fault::unavailable:
    case base::Fault::outcome_unknown:
      return 69;
    case base::Fault::bug:
      return 70;
    case base::Fault::os:
      return 71;
    case base::Fault::cannot_create:
      return 73;
    case base::Fault::io:
      return 74;
    case base::Fault::protocol:
      return 76;
    case base::Fault::not_permitted:
      return 77;
    case base::Fault::config:
    case base::Fault::sign_in_needed:
      return 78;
  }
  return 70;
}

namespace {

// Which fate speaks for the whole message: what is known least first, since it forbids a blind
// repeat; then what a person must see, then what repeating may cure.
int weight(base::Fate::State state) {
  switch (state) {
    case base::Fate::State::delivered:
      return 0;
    case base::Fate::State::deferred:
      return 1;
    case base::Fate::State::held:
      return 2;
    case base::Fate::State::refused:
      return 3;
    case base::Fate::State::unknown:
      return 4;
  }
  return 0;
}

// Of equal fates the one that a server spoke about decides: in an all-or-nothing delivery the
// others only suffered from it.
int weight(const base::Fate& fate) {
  return 2 * weight(fate.state) + (fate.error.said.empty() ? 0 : 1);
}

}  // namespace

const base::Error* deciding_error(const std::vector<base::Fate>& fates) {
  const base::Fate* worst = nullptr;
  for (const base::Fate& fate : fates) {
    if (fate.state == base::Fate::State::delivered) continue;
    if (worst == nullptr || weight(fate) > weight(*worst)) worst = &fate;
  }
  return worst == nullptr ? nullptr : &worst->error;
}

int exit_code(const std::vector<base::Fate>& fates) {
  const base::Error* error = deciding_error(fates);
  return error == nullptr ? 0 : exit_code(error->fault);
}

int with_temporary_exit(int code, std::int64_t temporary_exit) {
  return code == 69 && temporary_exit == 75 ? 75 : code;
}

}  // namespace report
