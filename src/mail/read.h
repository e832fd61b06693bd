// read: the bytes of a caller to the normal form: every LF, CRLF becomes CRLF, a bare CR becomes a
// blank in the header and in the body, and the dot rule is applied. Source: interface facts 3.7
// and 3.8, R30-R32, A7, A8. Errors: Fault::io, Fault::bad_message (too big).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/scratch.h"

namespace mail {

// A writer that is fed pieces in any cuts and appends normalised bytes to a Scratch.
class LineEnds {
 public:
  explicit LineEnds(base::Scratch& into) : into_(&into) {}
  base::Done feed(std::string_view piece);
  base::Done finish();  // completes an unterminated last line; a trailing bare CR ends it

 private:
  base::Scratch* into_;
  bool after_cr_ = false;
  bool at_line_start_ = true;
};

enum class Dots : bool { kept, rule };  // rule: without -i

// Standard input to its end. Text behind a lone dot is read and dropped. `limit_bytes` 0: none.
// A read error: Fault::io, "cannot read standard input".
base::Result<base::Scratch> read_message(int fd, Dots dots, std::uint64_t limit_bytes);

}  // namespace mail
