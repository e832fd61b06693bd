// record: what agent and helper say to each other: a verb and named fields, as one length-framed
// message on their socketpair. No JSON here: the agent does not link any. Wire form: 4-byte
// big-endian length of the rest, then verb and fields, each a 4-byte length and its bytes (verb,
// name, value, name, value …). Limit: 1 MiB a record, 512 fields. Values may hold secrets, so the
// whole is kept in wiped memory. A descriptor may travel with a record (SCM_RIGHTS).
// Errors: Fault::unavailable (helper gone, deadline), Fault::protocol.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "base/secret.h"

namespace net {

class Record {
 public:
  explicit Record(std::string verb = {}) : verb_(std::move(verb)) {}
  const std::string& verb() const { return verb_; }
  void put(const std::string& name, std::string_view value) { fields_[name] = base::Secret(value); }
  void put(const std::string& name, base::Secret value) { fields_[name] = std::move(value); }
  bool has(const std::string& name) const { return fields_.contains(name); }
  // Empty when absent. Valid while the record lives.
  std::string_view get(const std::string& name) const;
  std::int64_t number(const std::string& name, std::int64_t otherwise) const;
  base::Secret take(const std::string& name);
  const std::map<std::string, base::Secret>& fields() const { return fields_; }

  base::Fd attached;  // at most one descriptor

 private:
  std::string verb_;
  std::map<std::string, base::Secret> fields_;
};

base::Done send_record(int socket, const Record& record, base::Deadline deadline);
base::Result<Record> receive_record(int socket, base::Deadline deadline);

// An error inside a record, and back: has_error tells whether there is one. Faults travel as words,
// so that programs of two versions do not misunderstand each other.
void put_error(Record& record, const base::Error& error);
bool has_error(const Record& record);
base::Error get_error(const Record& record);

}  // namespace net
