// read: the bytes of a caller to the normal form: every LF, CRLF becomes CRLF, a bare CR becomes a
// blank in the header and in the body, and the dot rule is applied. Source: interface facts 3.7
// and 3.8, R30-R32, A7, A8. Errors: Fault::io, Fault::bad_message (too big).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/scratch.h"

namespace mail {

enum class Dots : bool { kept, rule };  // rule: without -i

// A writer that is fed pieces in any cuts and appends normalised bytes to a Scratch. CRs in front
// of a LF belong to that line end (text that was converted twice has CR CR LF); any other CR
// becomes a blank. Both are the same whatever stands around them, so that normalising twice changes
// nothing.
class LineEnds {
 public:
  explicit LineEnds(base::Scratch& into, Dots dots = Dots::kept) : into_(&into), dots_(dots) {}
  base::Done feed(std::string_view piece);
  base::Done finish();  // completes an unterminated last line; a trailing bare CR ends it
  bool ended() const { return ended_; }  // by a lone dot; what is fed now is dropped

 private:
  base::Done text(std::string_view run);
  bool passes_whole(std::string_view piece) const;
  bool has_lf_alone(std::string_view piece) const;
  base::Done feed_lf(std::string_view piece);
  base::Done blanks_for_crs();
  base::Done end_line();
  base::Done flush();

  base::Scratch* into_;
  Dots dots_;
  std::string out_{};
  std::uint64_t pending_crs_ = 0;
  bool at_line_start_ = true;
  bool dot_held_ = false;  // the line is "." so far
  bool ended_ = false;
};

// Standard input from where it stands to its end. Text behind a lone dot is read and dropped.
// `limit_bytes` (of the normal form) 0: none. A read error: Fault::io, "cannot read standard
// input". After an error, too, the writer's bytes are taken, so that it sees our exit code and no
// broken pipe: at most 1 GiB and 30 s of them, and none from a terminal.
base::Result<base::Scratch> read_message(int fd, Dots dots, std::uint64_t limit_bytes);

// Only that taking: for a caller that is refused before its message is wanted (R14).
void drain(int fd);

}  // namespace mail
