// row: what a person is shown of the queue. Plain values. Texts are clean. Units: seconds; at_s are
// dates of the wall clock.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "queue/progress.h"

namespace queue {

struct RecipientRow {
  std::string address{};
  State state = State::waiting;
  base::Error error{};
};
struct Row {
  std::string id{};
  std::string account{};
  uid_t uid = 0;
  std::int64_t at_s = 0;
  std::uint64_t bytes = 0;
  std::string sender{};
  std::vector<RecipientRow> recipients{};
  unsigned attempts = 0;
  bool active = false;  // a worker has it
  bool bounce = false;
  Hold hold = Hold::none;
  std::string why{};            // held, or the last reply
  std::int64_t next_in_s = -1;  // -1: not by itself
};
struct AccountRow {
  std::string name{};
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t active = 0;
  std::int64_t oldest_s = 0;
  bool held = false;
  std::int64_t held_s = 0;
  base::Error why{};
  std::int64_t paused_s = 0;  // the provider, or the way to it, asks for patience
};
struct Status {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t held = 0;     // single messages
  std::uint64_t unknown = 0;  // messages with a recipient whose reply was lost
  std::int64_t oldest_s = 0;
  bool unwritable = false;
  std::vector<AccountRow> accounts{};
};

// Whose messages are meant: those of one uid, or all.
using Whose = std::optional<uid_t>;
struct Released {
  std::uint64_t messages = 0;
  std::int64_t oldest_s = 0;
};

}  // namespace queue
