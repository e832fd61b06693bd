#include <algorithm>
#include <array>
#include <climits>

#include "base/text.h"
#include "net/record.h"

namespace net {

namespace {

using base::Fault;
using base::FaultClass;

struct FaultWord {
  Fault fault;
  const char* word;
};
constexpr std::array fault_words = {
    FaultWord{Fault::usage, "usage"},
    FaultWord{Fault::bad_message, "bad-message"},
    FaultWord{Fault::bad_recipient, "bad-recipient"},
    FaultWord{Fault::unavailable, "unavailable"},
    FaultWord{Fault::outcome_unknown, "outcome-unknown"},
    FaultWord{Fault::bug, "bug"},
    FaultWord{Fault::os, "os"},
    FaultWord{Fault::cannot_create, "cannot-create"},
    FaultWord{Fault::io, "io"},
    FaultWord{Fault::protocol, "protocol"},
    FaultWord{Fault::not_permitted, "not-permitted"},
    FaultWord{Fault::config, "config"},
    FaultWord{Fault::sign_in_needed, "sign-in-needed"},
};

struct KindWord {
  FaultClass kind;
  const char* word;
};
constexpr std::array kind_words = {
    KindWord{FaultClass::permanent, "permanent"},
    KindWord{FaultClass::temporary, "temporary"},
    KindWord{FaultClass::hold, "hold"},
};

// The longest field of an error that is believed; sentences are far shorter.
constexpr std::size_t text_limit_bytes = 2048;

}  // namespace

void put_error(Record& record, const base::Error& error) {
  for (const FaultWord& row : fault_words) {
    if (row.fault == error.fault) record.put("fault", row.word);
  }
  for (const KindWord& row : kind_words) {
    if (row.kind == error.kind) record.put("kind", row.word);
  }
  record.put("cause", error.cause);
  record.put("cure", error.cure);
  record.put("account", error.account);
  record.put("said", error.said);
  record.put("status", error.status);
  record.put("sys", std::to_string(error.sys));
  record.put("retry_after", std::to_string(error.retry_after_s));
}

bool has_error(const Record& record) {
  return record.has("fault");
}

base::Error get_error(const Record& record) {
  const auto text = [&record](const char* name) {
    return base::clean(record.get(name), text_limit_bytes);
  };
  base::Error error = base::failure(Fault::bug, text("cause"), text("cure"));
  for (const FaultWord& row : fault_words) {
    if (record.get("fault") == row.word) error.fault = row.fault;
  }
  error.kind = base::class_of(error.fault);
  for (const KindWord& row : kind_words) {
    if (record.get("kind") == row.word) error.kind = row.kind;
  }
  error.account = text("account");
  error.said = text("said");
  error.status = text("status");
  error.sys = static_cast<int>(std::clamp<std::int64_t>(record.number("sys", 0), 0, INT_MAX));
  error.retry_after_s = std::clamp<std::int64_t>(record.number("retry_after", 0), 0, 86400);
  return error;
}

}  // namespace net
