// smtp_blot: takes our own secrets out of what a server says, before it is traced, judged or shown.
// Servers quote the line that they refuse, whole, cut short or spread over several lines, and in
// error challenges as base64. Found is every run of 16 octets of a secret (all of it when it is
// shorter), in any case, whatever blanks stand between; each becomes "***". Owns: copies of the
// secrets. Limits: a secret of fewer than 4 octets is not looked for. Cost: one pass over the words
// and a glance at the secrets (an eighth of their octets); one over the secrets where that shows
// that one may be there.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/secret.h"

namespace transport {

class Blot {
 public:
  struct Piece {
    std::string* text = nullptr;
    std::size_t begin = 0;  // what stands before is neither looked at nor changed
  };

  // As it is, and as part of something that is encoded in base64.
  void watch(const base::Secret& secret);
  // For what is base64 already, of something that holds a secret that is watched: half the work.
  void watch_as_it_is(const base::Secret& secret);
  bool empty() const { return watched_.empty(); }
  // The pieces are one text: a secret may begin in one and end in another.
  void over(const std::vector<Piece>& pieces) const;

 private:
  void add(std::string& secret, std::size_t least);  // leaves it wiped
  bool may_touch(const std::vector<Piece>& pieces) const;

  std::map<std::size_t, std::vector<base::Secret>> watched_;  // by the length of the run, folded
};

}  // namespace transport
