#include "net/stream.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/text.h"
#include "net/descriptor.h"

namespace net {

namespace {

constexpr unsigned tcp_close_wait = 8;  // of the kernel's enumeration, which <linux/tcp.h> lacks
constexpr std::size_t fill_bytes = std::size_t{16} * 1024;

void make_non_blocking(int fd) {
  const int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;
  if (flags >= 0 && (flags & O_NONBLOCK) == 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

base::Error timed_out() {
  base::Error error = base::failure(base::Fault::unavailable, "timed out");
  error.sys = ETIMEDOUT;
  return error;
}

base::Error broken(int sys) {
  if (sys != ECONNRESET && sys != EPIPE) {
    return base::failure_errno(base::Fault::unavailable, "network error", sys);
  }
  base::Error error = base::failure(base::Fault::unavailable, "connection closed");
  error.sys = sys;
  return error;
}

// Waits until the descriptor is ready (or broken: the next call then says how).
base::Done wait_for(int fd, short what, base::Deadline deadline) {
  for (;;) {
    pollfd one{fd, what, 0};
    const int ready = poll(&one, 1, deadline.left_ms());
    if (ready > 0) return base::done();
    if (ready == 0 && deadline.passed()) return timed_out();
    if (ready < 0 && errno != EINTR) return broken(errno);
  }
}

// A peer that is gone must be an error, not SIGPIPE, whatever the program around us has set.
ssize_t put(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno == ENOTSOCK) return write(fd, bytes.data(), bytes.size());
  return sent;
}

}  // namespace

FdStream::FdStream(base::Fd socket) : read_(std::move(socket)) {
  make_non_blocking(read_.get());
}

FdStream::FdStream(base::Fd read_end, base::Fd write_end)
    : read_(std::move(read_end)), write_(std::move(write_end)) {
  if (write_.get() == read_.get()) write_.release();
  make_non_blocking(read_.get());
  make_non_blocking(write_.get());
}

base::Result<std::size_t> FdStream::read(char* into, std::size_t count, base::Deadline deadline) {
  for (;;) {
    if (answer_to_come_) {
      base::Done ready = wait_for(read_.get(), POLLIN, deadline);
      if (!ready) return std::move(ready).error();
    }
    answer_to_come_ = false;
    const ssize_t got = accepts_files_ ? receive_with_descriptor(read_.get(), into, count, file_)
                                       : ::read(read_.get(), into, count);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return broken(errno);
    answer_to_come_ = true;
  }
}

base::Result<bool> FdStream::has_input() {
  for (;;) {
    // A hang-up or an error counts, too: read() says which.
    pollfd one{read_.get(), POLLIN, 0};
    const int ready = poll(&one, 1, 0);
    if (ready > 0) answer_to_come_ = false;
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) return broken(errno);
  }
}

std::optional<TcpProgress> tcp_progress(int socket) {
  tcp_info facts{};
  socklen_t length = sizeof facts;
  const bool told = getsockopt(socket, IPPROTO_TCP, TCP_INFO, &facts, &length) == 0 &&
                    length >= offsetof(tcp_info, tcpi_bytes_acked) + sizeof facts.tcpi_bytes_acked;
  if (!told) return std::nullopt;
  return TcpProgress{facts.tcpi_bytes_acked, facts.tcpi_state == tcp_close_wait};
}

std::optional<TcpProgress> FdStream::progress() const {
  return tcp_progress(write_.open() ? write_.get() : read_.get());
}

base::Done Stream::write_with_file(std::string_view /*bytes*/, int /*fd*/,
                                   base::Deadline /*deadline*/) {
  return base::failure(base::Fault::bug, "a file cannot be sent here");
}

base::Done FdStream::write_with_file(std::string_view bytes, int fd, base::Deadline deadline) {
  const int socket = write_.open() ? write_.get() : read_.get();
  for (;;) {
    const ssize_t sent = send_with_descriptor(socket, bytes, fd);
    if (sent >= 0) return write(bytes.substr(static_cast<std::size_t>(sent)), deadline);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return broken(errno);
    base::Done ready = wait_for(socket, POLLOUT, deadline);
    if (!ready) return ready;
  }
}

base::Done FdStream::write(std::string_view bytes, base::Deadline deadline) {
  const int fd = write_.open() ? write_.get() : read_.get();
  answer_to_come_ = true;
  while (!bytes.empty()) {
    const ssize_t sent = put(fd, bytes);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      // A peer that takes a byte at a time must not outlive the deadline.
      if (!bytes.empty() && deadline.passed()) return timed_out();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return broken(errno);
    base::Done ready = wait_for(fd, POLLOUT, deadline);
    if (!ready) return ready;
  }
  return base::done();
}

base::Fd FdStream::take_socket() {
  write_.reset();
  return std::move(read_);
}

base::Result<std::size_t> LineReader::fill(base::Deadline deadline) {
  if (stream_ == nullptr) return base::failure(base::Fault::bug, "no stream to read from");
  if (at_ > 0) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  std::array<char, fill_bytes> piece;
  base::Result<std::size_t> got = stream_->read(piece.data(), piece.size(), deadline);
  if (got) buffer_.append(piece.data(), *got);
  return got;
}

base::Result<std::string> LineReader::line(base::Deadline deadline) {
  std::size_t searched = 0;  // octets behind at_ known to hold no LF: no byte is looked at twice
  for (;;) {
    const std::size_t end = buffer_.find('\n', at_ + searched);
    const std::size_t length = (end == std::string::npos ? buffer_.size() : end) - at_;
    // One octet more is allowed while the line may still turn out to end in CR.
    if (length > limit_ + 1 || (length > limit_ && buffer_[at_ + length - 1] != '\r')) {
      return base::failure(base::Fault::protocol,
                           "a line longer than " + std::to_string(limit_) + " octets");
    }
    if (end != std::string::npos) {
      std::string out = buffer_.substr(at_, length);
      at_ = end + 1;
      if (!out.empty() && out.back() == '\r') out.pop_back();
      return out;
    }
    searched = length;
    // The deadline is for the whole line: a peer that sends an octet now and then gains nothing.
    if (searched > 0 && deadline.passed()) return timed_out();
    base::Result<std::size_t> got = fill(deadline);
    if (!got) return std::move(got).error();
    if (*got == 0) return broken(ECONNRESET);
  }
}

base::Result<bool> LineReader::has_input() {
  if (holds_more()) return true;
  if (stream_ == nullptr) return base::failure(base::Fault::bug, "no stream to read from");
  return stream_->has_input();
}

base::Result<std::size_t> LineReader::read(char* into, std::size_t count, base::Deadline deadline) {
  if (!holds_more() && stream_ != nullptr) return stream_->read(into, count, deadline);
  const std::size_t taken = buffer_.copy(into, count, at_);
  at_ += taken;
  return taken;
}

base::Result<bool> LineReader::next_is(std::string_view word) {
  while (buffer_.size() - at_ < word.size()) {
    base::Result<bool> waits = stream_->has_input();
    if (!waits) return std::move(waits).error();
    if (!*waits) break;
    base::Result<std::size_t> got = fill(base::Deadline::after_ms(0));
    if (!got) return std::move(got).error();
    if (*got == 0) return base::failure(base::Fault::unavailable, "connection closed");
  }
  const std::string_view here = std::string_view(buffer_).substr(at_, word.size());
  return !here.empty() && base::same_ignoring_case(here, word.substr(0, here.size()));
}

}  // namespace net
