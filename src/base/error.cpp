#include "base/error.h"

#include <cstring>

namespace base {

FaultClass class_of(Fault fault) {
  switch (fault) {
    case Fault::usage:
    case Fault::bad_message:
    case Fault::bad_recipient:
    case Fault::not_permitted:
      return FaultClass::permanent;
    case Fault::unavailable:
    case Fault::outcome_unknown:
    case Fault::bug:
    case Fault::os:
    case Fault::cannot_create:
    case Fault::io:
    case Fault::protocol:
      return FaultClass::temporary;
    case Fault::config:
    case Fault::sign_in_needed:
      return FaultClass::hold;
  }
  return FaultClass::temporary;
}

Error failure(Fault fault, std::string cause, std::string cure) {
  Error error;
  error.fault = fault;
  error.kind = class_of(fault);
  error.cause = std::move(cause);
  error.cure = std::move(cure);
  return error;
}

Error failure_errno(Fault fault, const std::string& doing, int sys) {
  // strerrordesc_np: no locale, no shared buffer.
  const char* words = strerrordesc_np(sys);
  Error error = failure(fault, doing + ": " + (words != nullptr ? words : "unknown error"));
  error.sys = sys;
  return error;
}

}  // namespace base
