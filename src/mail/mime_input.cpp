#include "mail/mime_input.h"

#include <unistd.h>

#include <cerrno>

#include "mail/range.h"

namespace mail {
namespace {

// GMime needs some 2 KiB for each part; nobody sends that many.
constexpr std::uint64_t boundary_limit = 20000;

}  // namespace

base::Done count_boundaries(const base::Scratch& whole) {
  std::uint64_t found = 0;
  std::size_t column = 0;
  bool dashes = true;
  base::Done read = each_piece_of(whole, 0, whole.size_bytes(), [&](std::string_view piece) {
    for (const char c : piece) {
      if (c == '\n') {
        found += dashes && column >= 3 && column <= 75 ? 1 : 0;
        column = 0;
        dashes = true;
        continue;
      }
      if (column < 2 && c != '-') dashes = false;
      ++column;
    }
    return base::done();
  });
  if (!read.ok() || found <= boundary_limit) return read;
  return base::failure(base::Fault::bad_message, "too many parts to re-encode it",
                       "send it in a single archive");
}

base::Result<base::Fd> as_file(const base::Scratch& whole) {
  base::Result<base::Fd> file = base::temporary_file();
  if (!file.ok()) return file;
  base::Done done = whole.each_piece(0, [&](std::string_view piece) {
    return base::write_all(file.value().get(), piece, "temporary file");
  });
  if (!done.ok()) return std::move(done).error();
  // As opened anew: GMime counts from where the descriptor stands.
  if (lseek(file.value().get(), 0, SEEK_SET) != 0)
    return base::failure_errno(base::Fault::io, "cannot seek in a temporary file", errno);
  return file;
}

}  // namespace mail
