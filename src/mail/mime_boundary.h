// mime_boundary: the lines between the parts of a multipart, found in the message itself, where
// GMime tells only what is between them. Source: RFC 2046 5.1.1: "--" and the boundary at the
// beginning of a line, "--" behind the last one, and blanks. Internal to the room. Units: octets.
// Errors: Fault::io.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/scratch.h"

namespace mail {

struct Stretch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// The last such line before `at`, with its line end; none within 256 KiB.
base::Result<std::optional<Stretch>> line_before(const base::Scratch& whole, std::uint64_t at,
                                                 const std::string& boundary);

// Where the line end before the next such line stands, looked for from `at` on; the end of the
// message when there is none.
base::Result<std::uint64_t> end_before_boundary(const base::Scratch& whole, std::uint64_t at,
                                                const std::string& boundary);

}  // namespace mail
