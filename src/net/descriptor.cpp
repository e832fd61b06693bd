#include "net/descriptor.h"

#include <sys/socket.h>

#include <array>
#include <cstring>
#include <utility>

namespace net {

namespace {

// Room for the one descriptor that may travel, and a few more so that a peer that sends several is
// seen and its descriptors closed.
constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(int) * 8);
struct ControlBuffer {
  alignas(cmsghdr) std::array<char, control_bytes> bytes{};
};

void attach(msghdr& message, ControlBuffer& control, int fd) {
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(sizeof(int));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof(int));
}

// The first descriptor that came is kept, all others are closed.
void collect(msghdr& message, base::Fd& kept) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      base::Fd owned(fd);
      if (!kept.open()) kept = std::move(owned);
    }
  }
}

}  // namespace

ssize_t send_with_descriptor(int socket, std::string_view bytes, int fd) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  ControlBuffer control;
  if (fd >= 0) attach(message, control, fd);
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t receive_with_descriptor(int socket, char* into, std::size_t count, base::Fd& kept) {
  ControlBuffer control;
  iovec piece{into, count};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got >= 0) collect(message, kept);
  return got;
}

}  // namespace net
