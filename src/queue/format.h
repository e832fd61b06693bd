// format: the bytes of a spool file, version 1. Records with their length and two checksums, and an
// END, so that a file that is cut anywhere is known; never lines. docs/queue.md has the layout.
//   record: type (4 letters), length (8, little endian), CRC-32C of those 12, payload, CRC-32C of
//   it file:   HEAD ARRV BODY END_ , then notes: RSLV TRY_ FATE HOLD WARN TOLD
// A last note that is cut short, or whose place holds zeros, was never finished and is as if not
// written; any other fault makes the file damaged. A record whose name begins with a small letter
// may be skipped by who does not know it; an unknown one that does not means a newer version.
// Limits: HEAD 256 bytes, ARRV and RSLV 64 MiB, a note 64 MiB, texts of replies 1 KiB. Errors:
// Fault::bad_message (damaged), Fault::config (newer version). Trusts: nothing.
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
  std::string id{};  // 32 hex digits
  uid_t uid = 0;
  bool over_network = false;
  bool bounce = false;  // made by us: never bounced
  QueueMs at_ms = 0;
  std::int64_t at_wall_s = 0;  // of the submission: its Date
  std::uint64_t content_bytes = 0;
  std::uint64_t header_bytes = 0;  // of the content, without the empty line
  std::uint32_t recipients = 0;
  bool body_is_8bit = false;
  bool body_has_nul = false;
  bool body_has_long_line = false;
};

// ARRV: how it came.
struct Arrival {
  std::string account{};  // that it will likely leave by; empty: none was known
  std::string asked_account{};
  std::vector<gid_t> groups{};
  mail::Envelope envelope{};
};

}  // namespace queue
