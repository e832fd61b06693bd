#include "net/record.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "net/descriptor.h"

namespace net {

namespace {

constexpr std::size_t record_limit_bytes = std::size_t{1024} * 1024;
constexpr std::size_t field_limit = 512;
constexpr std::size_t length_bytes = 4;

base::Error gone() {
  return base::failure(base::Fault::unavailable, "mailbearer-helper ended without an answer",
                       "try again");
}
base::Error late() {
  return base::failure(base::Fault::unavailable, "mailbearer-helper did not answer in time",
                       "try again");
}
base::Error malformed() {
  return base::failure(base::Fault::protocol, "malformed record between agent and helper");
}

std::string encoded_length(std::size_t value) {
  std::string out;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out += static_cast<char>((value >> shift) & 0xFF);
  }
  return out;
}

std::size_t decoded_length(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

void append_piece(base::Secret& out, std::string_view piece) {
  out.append(encoded_length(piece.size()));
  out.append(piece);
}

base::Done wait_for(int socket, short events, base::Deadline deadline) {
  for (;;) {
    pollfd watched{socket, events, 0};
    const int ready = poll(&watched, 1, deadline.left_ms());
    if (ready > 0) return base::done();
    if (ready < 0 && errno != EINTR) {
      return base::failure_errno(base::Fault::unavailable, "cannot wait for the helper", errno);
    }
    if (deadline.passed()) return late();
  }
}

// Up to `count` bytes; 0 at the end of the stream.
base::Result<std::size_t> receive_some(int socket, char* into, std::size_t count, base::Fd& kept,
                                       base::Deadline deadline) {
  for (;;) {
    base::Done ready = wait_for(socket, POLLIN, deadline);
    if (!ready) return std::move(ready).error();
    const ssize_t got = receive_with_descriptor(socket, into, count, kept);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EAGAIN || errno == EINTR) continue;
    if (errno == ECONNRESET) return std::size_t{0};
    return base::failure_errno(base::Fault::unavailable, "cannot read from the helper", errno);
  }
}

base::Result<base::Secret> receive_exactly(int socket, std::size_t count, base::Fd& kept,
                                           base::Deadline deadline) {
  base::Secret out;
  std::array<char, 16'384> buffer{};
  base::Result<base::Secret> answer = gone();
  for (;;) {
    if (out.size() == count) {
      answer = std::move(out);
      break;
    }
    base::Result<std::size_t> got = receive_some(
        socket, buffer.data(), std::min(buffer.size(), count - out.size()), kept, deadline);
    if (!got) {
      answer = std::move(got).error();
      break;
    }
    if (*got == 0) break;
    out.append(std::string_view(buffer.data(), *got));
  }
  explicit_bzero(buffer.data(), buffer.size());
  return answer;
}

// Takes one length-led piece off the front.
bool take_piece(std::string_view& rest, std::string_view& piece) {
  if (rest.size() < length_bytes) return false;
  const std::size_t size = decoded_length(rest);
  if (size > rest.size() - length_bytes) return false;
  piece = rest.substr(length_bytes, size);
  rest.remove_prefix(length_bytes + size);
  return true;
}

}  // namespace

std::string_view Record::get(const std::string& name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? std::string_view() : found->second.reveal();
}

std::int64_t Record::number(const std::string& name, std::int64_t otherwise) const {
  std::int64_t value = 0;
  return base::parse_number(get(name), INT64_MIN, INT64_MAX, value) ? value : otherwise;
}

base::Secret Record::take(const std::string& name) {
  const auto found = fields_.find(name);
  if (found == fields_.end()) return {};
  base::Secret value = std::move(found->second);
  fields_.erase(found);
  return value;
}

base::Done send_record(int socket, const Record& record, base::Deadline deadline) {
  base::Secret body;
  append_piece(body, record.verb());
  for (const auto& [name, value] : record.fields()) {
    append_piece(body, name);
    append_piece(body, value.reveal());
  }
  if (body.size() > record_limit_bytes || record.fields().size() > field_limit) {
    return base::failure(base::Fault::protocol, "record between agent and helper is too large");
  }
  base::Secret whole(encoded_length(body.size()));
  whole.append(body.reveal());
  std::string_view rest = whole.reveal();
  bool fd_to_send = record.attached.open();
  while (!rest.empty()) {
    base::Done ready = wait_for(socket, POLLOUT, deadline);
    if (!ready) return ready;
    const ssize_t put = send_with_descriptor(socket, rest, fd_to_send ? record.attached.get() : -1);
    if (put >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(put));
      fd_to_send = false;
      continue;
    }
    if (errno == EAGAIN || errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) return gone();
    return base::failure_errno(base::Fault::unavailable, "cannot write to the helper", errno);
  }
  return base::done();
}

base::Result<Record> receive_record(int socket, base::Deadline deadline) {
  base::Fd attached;
  base::Result<base::Secret> head = receive_exactly(socket, length_bytes, attached, deadline);
  if (!head) return std::move(head).error();
  const std::size_t size = decoded_length(head->reveal());
  if (size > record_limit_bytes) return malformed();
  base::Result<base::Secret> body = receive_exactly(socket, size, attached, deadline);
  if (!body) return std::move(body).error();
  std::string_view rest = body->reveal();
  std::string_view verb;
  if (!take_piece(rest, verb)) return malformed();
  Record record{std::string(verb)};
  while (!rest.empty()) {
    std::string_view name;
    std::string_view value;
    if (!take_piece(rest, name) || !take_piece(rest, value)) return malformed();
    if (record.fields().size() == field_limit) return malformed();
    record.put(std::string(name), value);
  }
  record.attached = std::move(attached);
  return record;
}

}  // namespace net
