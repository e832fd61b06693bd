// message: one RFC 5322 message: its header in memory, its body in a Scratch. Move-only.
// Every line end is CRLF; there is no bare CR, no bare LF and no NUL in the header.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/scratch.h"
#include "mail/header.h"

namespace mail {

struct Message {
  Header header{};
  base::Scratch bytes{};            // everything as it came in, header included, line ends CRLF
  std::uint64_t body_offset = 0;    // where the body begins in `bytes`
  bool body_is_8bit = false;        // facts of the body, found while reading
  bool body_has_nul = false;        // it must be re-encoded before it leaves
  bool body_has_long_line = false;  // over 998 octets without CRLF (RFC 5322 2.1.1)
  std::uint64_t body_bytes() const { return bytes.size_bytes() - body_offset; }
};

// Splits normalised bytes into header and body. Drops a first line "From " or ">From "; a first
// line that is no field makes all of it body; a bad line inside the header ends the header (an
// empty line is implied). NUL in the header: Fault::bad_message.
// header_only: the facts of the body are not asked for, and a large one is not read.
enum class Extent : std::uint8_t { whole, header_only };
base::Result<Message> split(base::Scratch bytes, Extent extent = Extent::whole);

// Facts of the body that a changed body needs anew.
base::Done measure_body(Message& message);

}  // namespace mail
