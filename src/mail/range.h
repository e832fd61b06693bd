// range: a stretch of a Scratch, looked at and copied without holding it in memory. Internal to the
// room. Units: octets. Errors: those of the Scratch.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "base/scratch.h"

namespace mail {

struct RangeFacts {
  std::uint64_t size = 0;
  std::uint64_t eight_bit = 0;     // octets above 127
  std::uint64_t longest_line = 0;  // without CRLF
  bool nul = false;
  bool utf8 = true;
};

base::Done each_piece_of(const base::Scratch& bytes, std::uint64_t begin, std::uint64_t end,
                         const std::function<base::Done(std::string_view)>& take);
base::Result<RangeFacts> measure_range(const base::Scratch& bytes, std::uint64_t begin,
                                       std::uint64_t end);

}  // namespace mail
