#include "sandbox/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sandbox/options.h"

namespace sandbox {

namespace {

constexpr std::size_t guest_limit = 256;
constexpr int poll_ms = 200;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

bool make_address(const std::string& text, std::uint16_t port, SocketAddress& out) {
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&out.storage, &four, sizeof four);
    out.length = sizeof four;
    return true;
  }
  if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) != 1) return false;
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  std::memcpy(&out.storage, &six, sizeof six);
  out.length = sizeof six;
  return true;
}

base::Result<base::Fd> listen_on(const std::string& address, std::uint16_t port) {
  SocketAddress where;
  if (!is_loopback(address) || !make_address(address, port, where)) {
    return base::failure(base::Fault::usage, address + " is not a loopback address");
  }
  base::Fd fd(socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (fd.open()) {
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (where.storage.ss_family == AF_INET6) {
      setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
  }
  if (!fd.open() ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&where.storage), where.length) != 0 ||
      listen(fd.get(), SOMAXCONN) != 0) {
    return base::failure_errno(base::Fault::cannot_create,
                               "cannot listen on " + address + " port " + std::to_string(port),
                               errno);
  }
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return 0;
  if (storage.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &storage, sizeof four);
    return ntohs(four.sin_port);
  }
  sockaddr_in6 six{};
  std::memcpy(&six, &storage, sizeof six);
  return ntohs(six.sin6_port);
}

}  // namespace

base::Done Listener::bind(const std::vector<std::string>& addresses, std::uint16_t port) {
  for (const std::string& address : addresses) {
    base::Result<base::Fd> bound = listen_on(address, sockets_.empty() ? port : port_);
    if (!bound) {
      if (sockets_.empty()) return std::move(bound).error();
      continue;
    }
    if (sockets_.empty()) port_ = port_of(bound->get());
    sockets_.push_back(std::move(bound).value());
  }
  return base::done();
}

void Listener::start(Serve serve) {
  serve_ = std::move(serve);
  for (const base::Fd& socket : sockets_) {
    acceptors_.emplace_back([this, fd = socket.get()] { accept_on(fd); });
  }
}

void Listener::accept_on(int listening) {
  pollfd waited{listening, POLLIN, 0};
  while (!stopping_) {
    if (poll(&waited, 1, poll_ms) > 0) {
      base::Fd socket(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
      if (socket.open()) welcome(std::move(socket));
    }
    bury_the_dead();
  }
}

void Listener::welcome(base::Fd socket) {
  const std::lock_guard lock(mutex_);
  if (guests_.size() >= guest_limit) {
    constexpr std::string_view full = "421 4.3.2 Service not available, too many connections\r\n";
    static_cast<void>(send(socket.get(), full.data(), full.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    return;
  }
  Guest& guest = guests_.emplace_back();
  guest.fd = socket.get();
  guest.thread = std::thread([this, &guest, fd = socket.release()] {
    Connection connection{base::Fd(fd)};
    serve_(connection);
    const std::lock_guard done(mutex_);
    guest.fd = -1;  // before the descriptor closes: stop() must not meet its number again
  });
}

void Listener::bury_the_dead() {
  std::list<Guest> dead;
  {
    const std::lock_guard lock(mutex_);
    for (auto guest = guests_.begin(); guest != guests_.end();) {
      const auto next = std::next(guest);
      if (guest->fd < 0) dead.splice(dead.end(), guests_, guest);
      guest = next;
    }
  }
  for (Guest& guest : dead) guest.thread.join();
}

void Listener::stop() {
  stopping_ = true;
  for (const base::Fd& socket : sockets_) shutdown(socket.get(), SHUT_RD);  // wakes the acceptors
  for (std::thread& acceptor : acceptors_) acceptor.join();
  acceptors_.clear();
  {
    const std::lock_guard lock(mutex_);
    for (const Guest& guest : guests_) {
      if (guest.fd >= 0) shutdown(guest.fd, SHUT_RDWR);
    }
  }
  for (;;) {
    bury_the_dead();
    const std::lock_guard lock(mutex_);
    if (guests_.empty()) break;
    poll(nullptr, 0, 5);
  }
  sockets_.clear();
}

}  // namespace sandbox
