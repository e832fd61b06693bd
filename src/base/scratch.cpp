#include "base/scratch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace base {

namespace {
constexpr std::size_t piece_bytes = std::size_t{64} * 1024;
constexpr const char* where = "temporary file";

Error no_room(Error error) {
  error.cure = "make room in /var/tmp, or send less at once";
  return error;
}
}  // namespace

Done Scratch::append(std::string_view bytes) {
  if (part_) return failure(Fault::bug, "a message in its spool file was to be changed");
  if (!file_.open() && memory_.size() + bytes.size() > memory_limit_bytes) {
    Done spilled = spill();
    if (!spilled) return spilled;
  }
  if (file_.open()) {
    Done written = write_all(file_.get(), bytes, where);
    if (!written) return no_room(std::move(written).error());
  } else {
    memory_.append(bytes);
  }
  size_ += bytes.size();
  return done();
}

Done Scratch::spill() const {
  Result<Fd> file = temporary_file();
  if (!file) return std::move(file).error();
  Done written = write_all(file->get(), memory_, where);
  if (!written) return no_room(std::move(written).error());
  file_ = std::move(*file);
  memory_ = std::string();
  return done();
}

Result<std::size_t> Scratch::read_at(std::uint64_t offset, char* into, std::size_t count) const {
  if (offset >= size_) return std::size_t{0};
  const std::uint64_t left = size_ - offset;
  const std::size_t wanted = left < count ? static_cast<std::size_t>(left) : count;
  if (!file_.open()) {
    std::memcpy(into, memory_.data() + offset, wanted);
    return wanted;
  }
  for (;;) {
    const ssize_t got = pread(file_.get(), into, wanted, static_cast<off_t>(begin_ + offset));
    if (got > 0) return static_cast<std::size_t>(got);
    if (got < 0 && errno == EINTR) continue;
    return failure_errno(Fault::io, "cannot read the temporary file", got < 0 ? errno : EIO);
  }
}

Done Scratch::each_piece(std::uint64_t offset,
                         const std::function<Done(std::string_view)>& take) const {
  if (!file_.open()) {
    if (offset >= size_) return done();
    std::string_view rest(memory_);
    rest.remove_prefix(static_cast<std::size_t>(offset));
    return take(rest);
  }
  std::string piece(piece_bytes, '\0');
  while (offset < size_) {
    Result<std::size_t> got = read_at(offset, piece.data(), piece.size());
    if (!got) return std::move(got).error();
    Done taken = take(std::string_view(piece.data(), *got));
    if (!taken) return taken;
    offset += *got;
  }
  return done();
}

Result<std::string> Scratch::all(std::size_t limit) const {
  if (size_ > limit) return failure(Fault::bad_message, "message too large to be held in memory");
  std::string out;
  Done read = each_piece(0, [&out](std::string_view piece) {
    out.append(piece);
    return done();
  });
  if (!read) return std::move(read).error();
  return out;
}

// A file of its own for what was a part of another.
Done Scratch::copy_out() const {
  Result<Fd> file = temporary_file();
  if (!file) return std::move(file).error();
  Done written = each_piece(0, [&](std::string_view piece) {
    Done put = write_all(file->get(), piece, where);
    return put.ok() ? std::move(put) : Done(no_room(std::move(put).error()));
  });
  if (!written) return written;
  file_ = std::move(*file);
  begin_ = 0;
  part_ = false;
  return done();
}

Result<int> Scratch::lend_fd() const {
  if (part_) {
    Done copied = copy_out();
    if (!copied) return std::move(copied).error();
  }
  if (!file_.open()) {
    Done spilled = spill();
    if (!spilled) return std::move(spilled).error();
  }
  return file_.get();
}

Result<Scratch> Scratch::share() const {
  Scratch twin;
  twin.size_ = size_;
  twin.memory_ = memory_;
  twin.begin_ = begin_;
  twin.part_ = part_;
  if (!file_.open()) return twin;
  twin.file_.reset(fcntl(file_.get(), F_DUPFD_CLOEXEC, 3));
  if (!twin.file_.open()) {
    return failure_errno(Fault::os, "cannot duplicate a descriptor", errno);
  }
  return twin;
}

Result<Scratch> Scratch::adopt(Fd file) {
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return failure(Fault::io, "what was handed over is no file");
  }
  Scratch scratch;
  scratch.size_ = static_cast<std::uint64_t>(facts.st_size);
  scratch.file_ = std::move(file);
  return scratch;
}

Scratch Scratch::part_of(Fd file, std::uint64_t offset, std::uint64_t size) {
  Scratch scratch;
  scratch.file_ = std::move(file);
  scratch.begin_ = offset;
  scratch.size_ = size;
  scratch.part_ = true;
  return scratch;
}

}  // namespace base
