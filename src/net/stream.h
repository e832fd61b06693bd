// stream: bytes to and from one peer, blocking under a deadline. One of the four seams for tests.
// Owns: its descriptor. Errors: Fault::unavailable (timed out, closed, network), cause says which.
// Trusts: nothing; LineReader bounds every line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace net {

// What the kernel knows of the peer's end of a TCP connection.
struct TcpProgress {
  std::uint64_t acknowledged = 0;  // octets of ours, with the last segment that came
  bool peer_closed = false;        // it ended the connection in order, not by a reset
};

class Stream {
 public:
  virtual ~Stream() = default;
  // At least 1 byte, at most `count`; 0 when the peer has ended the stream.
  virtual base::Result<std::size_t> read(char* into, std::size_t count,
                                         base::Deadline deadline) = 0;
  // Whether read() would return at once, with bytes or with the end. Takes nothing and never waits.
  // What the layers below say among themselves (a session ticket of TLS) is no input.
  virtual base::Result<bool> has_input() = 0;
  // All of it.
  virtual base::Done write(std::string_view bytes, base::Deadline deadline) = 0;
  virtual bool encrypted() const { return false; }
  // How far the other side is; nothing where that cannot be told (no TCP).
  virtual std::optional<TcpProgress> progress() const { return std::nullopt; }
  // The same, and an open file with it; and what came so with what was read. Over Unix sockets
  // only: elsewhere nothing is sent, and nothing comes.
  virtual base::Done write_with_file(std::string_view bytes, int fd, base::Deadline deadline);
  virtual base::Fd take_file() { return base::Fd(); }
  // Gives the descriptor up, for TLS to be put on it; the stream is dead afterwards. Closed when
  // there is none.
  virtual base::Fd take_socket() { return base::Fd(); }
};

std::optional<TcpProgress> tcp_progress(int socket);

// A socket or pipe pair; made non-blocking when the stream is made. write_fd may equal read_fd.
class FdStream : public Stream {
 public:
  explicit FdStream(base::Fd socket);
  FdStream(base::Fd read_end, base::Fd write_end);
  base::Result<std::size_t> read(char* into, std::size_t count, base::Deadline deadline) override;
  base::Result<bool> has_input() override;
  base::Done write(std::string_view bytes, base::Deadline deadline) override;
  base::Done write_with_file(std::string_view bytes, int fd, base::Deadline deadline) override;
  std::optional<TcpProgress> progress() const override;
  base::Fd take_file() override { return std::move(file_); }
  // From now on files that come are kept, the first until it is taken.
  void accept_files() { accepts_files_ = true; }
  int fd() const { return read_.get(); }
  base::Fd take_socket() override;

 private:
  base::Fd read_;
  base::Fd write_;  // closed when it is the same socket
  base::Fd file_;
  bool accepts_files_ = false;
  bool answer_to_come_ = true;  // nothing is there yet, very likely: wait before the read
};

// Lines and counted bytes from a stream. A line over the limit is Fault::protocol.
class LineReader {
 public:
  LineReader(Stream& stream, std::size_t line_limit_bytes)
      : stream_(&stream), limit_(line_limit_bytes) {}
  // Without a stream yet: attach() one before reading.
  explicit LineReader(std::size_t line_limit_bytes) : limit_(line_limit_bytes) {}
  // One line without its LF and the CR before it. The peer ended before a whole line:
  // Fault::unavailable, cause "connection closed".
  base::Result<std::string> line(base::Deadline deadline);
  // Like Stream::read, but takes what is buffered first.
  base::Result<std::size_t> read(char* into, std::size_t count, base::Deadline deadline);
  bool holds_more() const { return at_ < buffer_.size(); }
  // The same, and what waits in the stream: bytes or its end.
  base::Result<bool> has_input();
  // Whether what has come in begins with `word`, in any case, or with the beginning of it. Takes
  // nothing and never waits. The end of the stream is an error.
  base::Result<bool> next_is(std::string_view word);
  void forget() {
    buffer_.clear();
    at_ = 0;
  }
  void attach(Stream& stream) {
    stream_ = &stream;
    forget();
  }

 private:
  base::Result<std::size_t> fill(base::Deadline deadline);
  Stream* stream_ = nullptr;
  std::size_t limit_;
  std::string buffer_;
  std::size_t at_ = 0;
};

}  // namespace net
