// format: the bytes of a spool file, version 1. Records with their length and two checksums, and an
// END, so that a file that is cut anywhere is known; never lines. docs/queue.md has the layout.
//   record: type (4 letters), length (8, little endian), CRC-32C of those 12, payload, CRC-32C of
//   it file:   HEAD ARRV BODY END_ , then notes: RSLV TRY_ FATE HOLD WARN TOLD
// A last note that is cut short, or whose place holds zeros, was never finished and is as if not
// written; any other fault makes the file damaged. A record whose name begins with a small letter
// may be skipped by who does not know it; an unknown one that does not means a newer version.
// Limits: HEAD 4 KiB, ARRV 64 MiB, all notes 64 MiB. Pure. Errors: Fault::bad_message (damaged),
// Fault::config (newer version). Trusts: nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/submission.h"
#include "queue/progress.h"

namespace queue {

// HEAD: what is asked of every message at start; fixed when it is taken.
struct Birth {
  std::string id{};       // 32 hex digits
  std::string account{};  // that it will likely leave by; empty: none was known
  uid_t uid = 0;
  bool over_network = false;
  bool bounce = false;  // made by us: never bounced
  QueueMs at_ms = 0;
  std::int64_t at_wall_s = 0;      // of the submission: its Date
  std::uint64_t header_bytes = 0;  // of the content, without the empty line
  std::uint64_t content_bytes = 0;
  std::uint64_t arrival_bytes = 0;  // of the payload of ARRV
  std::uint32_t recipients = 0;
  bool body_is_8bit = false;
  bool body_has_nul = false;
  bool body_has_long_line = false;
};

// ARRV: how it came.
struct Arrival {
  std::string asked_account{};
  std::vector<gid_t> groups{};
  mail::Envelope envelope{};
};

// Where things lie in a file.
struct Places {
  std::uint64_t arrival = 0;  // the record
  std::uint64_t content = 0;  // the bytes themselves
  std::uint64_t end = 0;      // the END record
  std::uint64_t notes = 0;    // behind it
};

constexpr std::size_t record_overhead_bytes = 20;
constexpr std::size_t head_limit_bytes = 4096;  // HEAD, whole: read by one read
constexpr std::uint64_t part_limit_bytes = std::uint64_t{64} << 20;
bool is_message_id(std::string_view text);  // 32 digits of a file name

// What stands before the content, and what behind it. birth.arrival_bytes is filled in.
std::string front_of(Birth& birth, const Arrival& arrival);
std::string back_of(const Birth& birth, std::uint32_t content_crc);

// `bytes`: the first 4 KiB of a file.
base::Result<Birth> read_birth(std::string_view bytes);
base::Result<Places> read_places(std::string_view bytes, const Birth& birth);  // of the same bytes
base::Result<Arrival> read_arrival(std::string_view record, const Birth& birth);
// `bytes`: from the END record on. The notes are folded into `progress`; yields the length of the
// END record and of all whole notes.
base::Result<std::uint64_t> read_end_and_notes(std::string_view bytes, const Birth& birth,
                                               Progress& progress);

// A successor's view: what was being tried is unknown.
void interrupt(Progress& progress);

}  // namespace queue
