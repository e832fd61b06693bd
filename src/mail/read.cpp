#include "mail/read.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "base/clock.h"
#include "base/text.h"

namespace mail {

namespace {

constexpr std::size_t piece_bytes = 64UL * 1024;
// Two searches for one octet are far faster than one for either; the window keeps them cheap when
// only one of the two occurs.
constexpr std::size_t window_bytes = 1024;
constexpr std::uint64_t drain_limit_bytes = 1024ULL * 1024 * 1024;
constexpr std::int64_t drain_limit_ms = 30'000;

using Piece = std::array<char, piece_bytes>;

// read(2) that waits through EINTR and on descriptors that do not block (a socketpair of Node).
// Returns the count, 0 at the end or when the deadline passes, -1 with errno.
ssize_t read_some(int fd, Piece& into, base::Deadline deadline) {
  for (;;) {
    if (deadline.left_ms() >= 0) {
      struct pollfd waiting = {fd, POLLIN, 0};
      const int ready = poll(&waiting, 1, deadline.left_ms());
      if (ready == 0) return 0;
      if (ready < 0 && errno != EINTR) return -1;
      if (ready < 0) continue;
    }
    const ssize_t got = read(fd, into.data(), into.size());
    if (got >= 0) return got;
    if (errno == EAGAIN) {
      struct pollfd waiting = {fd, POLLIN, 0};
      poll(&waiting, 1, deadline.left_ms());
    } else if (errno != EINTR) {
      return -1;
    }
  }
}

// What the writer still has to say, so that it is not killed by a broken pipe (R14). From a
// terminal nothing: there a person waits.
void drain(int fd, Piece& piece) {
  if (isatty(fd) == 1) return;
  const base::Deadline deadline = base::Deadline::after_ms(drain_limit_ms);
  for (std::uint64_t taken = 0; taken < drain_limit_bytes && !deadline.passed();) {
    const ssize_t got = read_some(fd, piece, deadline);
    if (got <= 0) return;
    taken += static_cast<std::uint64_t>(got);
  }
}

base::Error too_big(std::uint64_t limit_bytes) {
  return base::failure(base::Fault::bad_message,
                       "message over " + std::to_string(limit_bytes) + " bytes",
                       "send less at once, or a link to it");
}

base::Done read_all_lines(int fd, LineEnds& lines, const base::Scratch& bytes,
                          std::uint64_t limit_bytes, Piece& piece) {
  const auto fits = [&] { return limit_bytes == 0 || bytes.size_bytes() <= limit_bytes; };
  while (!lines.ended()) {
    const ssize_t got = read_some(fd, piece, base::Deadline::never());
    if (got < 0) {
      return base::failure_errno(base::Fault::io, "cannot read standard input", errno);
    }
    if (got == 0) break;
    base::Done fed = lines.feed(std::string_view(piece.data(), static_cast<std::size_t>(got)));
    if (!fed) return fed;
    if (!fits()) return too_big(limit_bytes);
  }
  base::Done finished = lines.finish();
  if (!finished) return finished;
  if (!fits()) return too_big(limit_bytes);
  return base::done();
}

}  // namespace

base::Done LineEnds::flush() {
  if (out_.empty()) return base::done();
  base::Done appended = into_->append(out_);
  out_.clear();
  return appended;
}

base::Done LineEnds::text(std::string_view run) {
  if (ended_ || run.empty()) return base::done();
  if (at_line_start_ && dots_ == Dots::rule && run[0] == '.') {
    dot_held_ = true;
    run.remove_prefix(1);
  }
  at_line_start_ = false;
  if (run.empty()) return base::done();
  if (dot_held_) {
    // Of two dots at the start of a line one goes; a single one with text behind it stays.
    if (run[0] != '.') out_ += '.';
    dot_held_ = false;
  }
  out_ += run;
  return out_.size() < piece_bytes ? base::done() : flush();
}

// CRs that turned out to be no part of a line end.
base::Done LineEnds::blanks_for_crs() {
  static constexpr std::string_view blanks = "                                ";
  while (pending_crs_ > 0) {
    const std::uint64_t count = std::min<std::uint64_t>(pending_crs_, blanks.size());
    base::Done added = text(blanks.substr(0, static_cast<std::size_t>(count)));
    if (!added) return added;
    pending_crs_ -= count;
  }
  return base::done();
}

base::Done LineEnds::end_line() {
  pending_crs_ = 0;
  if (ended_) return base::done();
  if (dot_held_) {
    ended_ = true;
    return base::done();
  }
  out_ += "\r\n";
  at_line_start_ = true;
  return out_.size() < piece_bytes ? base::done() : flush();
}

// Text in the normal form already, as most of what comes over the handover, is passed on whole.
bool LineEnds::passes_whole(std::string_view piece) const {
  if (piece.empty() || ended_ || pending_crs_ > 0 || dot_held_) return false;
  const base::LinesAtAGlance seen = base::look_at_lines(piece);
  if (!seen.only_crlf) return false;
  return dots_ == Dots::kept || (!seen.dot_first && !(at_line_start_ && piece.front() == '.'));
}

// Text of LFs alone, as Unix programs write it: nothing to judge but where the lines end.
bool LineEnds::has_lf_alone(std::string_view piece) const {
  return !piece.empty() && !ended_ && pending_crs_ == 0 && !dot_held_ && dots_ == Dots::kept &&
         piece.find('\r') == std::string_view::npos;
}

base::Done LineEnds::feed_lf(std::string_view piece) {
  at_line_start_ = piece.back() == '\n';
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    out_ += piece.substr(0, end);
    if (end == std::string_view::npos) break;
    out_ += "\r\n";
    piece.remove_prefix(end + 1);
    if (out_.size() < piece_bytes) continue;
    base::Done flushed = flush();
    if (!flushed) return flushed;
  }
  return flush();
}

base::Done LineEnds::feed(std::string_view piece) {
  if (has_lf_alone(piece)) return feed_lf(piece);
  if (passes_whole(piece)) {
    at_line_start_ = piece.back() == '\n';
    return into_->append(piece);
  }
  while (!piece.empty() && !ended_) {
    std::string_view near = piece.substr(0, window_bytes);
    near = near.substr(0, near.find('\n'));
    near = near.substr(0, near.find('\r'));
    if (near.size() == std::min(piece.size(), window_bytes)) {
      base::Done added = blanks_for_crs();
      if (added) added = text(near);
      if (!added) return added;
      piece.remove_prefix(near.size());
      continue;
    }
    const std::size_t run = near.size();
    if (run > 0) {
      base::Done added = blanks_for_crs();
      if (added) added = text(near.substr(0, run));
      if (!added) return added;
    }
    piece.remove_prefix(run);
    if (piece[0] == '\r') {
      ++pending_crs_;
    } else {
      base::Done ended = end_line();
      if (!ended) return ended;
    }
    piece.remove_prefix(1);
  }
  return flush();
}

base::Done LineEnds::finish() {
  if (!ended_ && (pending_crs_ > 0 || !at_line_start_)) {
    base::Done ended = end_line();
    if (!ended) return ended;
  }
  return flush();
}

base::Result<base::Scratch> read_message(int fd, Dots dots, std::uint64_t limit_bytes) {
  base::Scratch bytes;
  LineEnds lines(bytes, dots);
  Piece piece;
  base::Done read = read_all_lines(fd, lines, bytes, limit_bytes, piece);
  if (!read || lines.ended()) drain(fd, piece);
  if (!read) return std::move(read).error();
  return bytes;
}

void drain(int fd) {
  Piece piece;  // NOLINT(cppcoreguidelines-pro-type-member-init) written before it is read
  drain(fd, piece);
}

}  // namespace mail
