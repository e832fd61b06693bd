// scratch: the bytes of one message while we work on it: in memory up to 64 KiB, beyond that in an
// unlinked temporary file, so that a large message costs no more memory than a small one. Owns: its
// file. Append first, then read from anywhere. Errors: Fault::io, Fault::cannot_create.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace base {

class Scratch {
 public:
  static constexpr std::size_t memory_limit_bytes = std::size_t{64} * 1024;

  Done append(std::string_view bytes);
  std::uint64_t size_bytes() const { return size_; }
  // Up to `count` bytes from `offset` into `into`; 0 at the end.
  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t count) const;
  // The bytes from `offset` to the end, in pieces of at most 64 KiB, in order.
  Done each_piece(std::uint64_t offset, const std::function<Done(std::string_view)>& take) const;
  // All as one string; only for what is known to be small. Over `limit`: Fault::bad_message.
  Result<std::string> all(std::size_t limit) const;
  bool in_file() const { return file_.open(); }
  // Moves the bytes into the file even if few, and lends its descriptor (for the helper).
  Result<int> lend_fd() const;
  // The same bytes once more. Neither may be appended to afterwards: a file is shared.
  Result<Scratch> share() const;
  // The bytes of a whole file (the helper's answer). Fault::io when it cannot be measured.
  static Result<Scratch> adopt(Fd file);
  // A stretch of a file that does not change any more (a queued message in its spool file). Nothing
  // can be appended; what is lent is a copy.
  static Scratch part_of(Fd file, std::uint64_t offset, std::uint64_t size);

 private:
  Done spill() const;
  Done copy_out() const;
  // Where the bytes lie is no part of what they are: lending them may move them.
  mutable std::string memory_;
  mutable Fd file_;
  std::uint64_t size_ = 0;
  mutable std::uint64_t begin_ = 0;  // of a part
  mutable bool part_ = false;
};

}  // namespace base
