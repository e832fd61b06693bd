#include "agent/network_door.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "agent/networks.h"
#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"

namespace agent {

namespace {

constexpr std::size_t most_sessions = 64;
constexpr int most_of_address = 16;
constexpr std::int64_t idle_ms = 300'000;
constexpr std::int64_t early_ms = 100;  // who speaks within it has not waited to be greeted
constexpr std::int64_t handshake_ms = 30'000;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// "127.0.0.1:2525", "[::1]:2525"
base::Result<base::Fd> listen_on(const std::string& place) {
  const std::size_t colon = place.rfind(':');
  std::string host = place.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (colon == std::string::npos ||
      getaddrinfo(host.c_str(), place.c_str() + colon + 1, &hints, &found) != 0) {
    return base::failure(base::Fault::config, "listen_tcp names no address: " + base::clean(place),
                         "write it as 127.0.0.1:2525");
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  base::Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (found->ai_family == AF_INET6) {
    setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (!socket.open() || bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    return base::failure_errno(base::Fault::os, "cannot listen on " + base::clean(place), errno);
  }
  return socket;
}

bool speaks_early(int socket) {
  pollfd end{socket, POLLIN, 0};
  return poll(&end, 1, early_ms) > 0;
}

void say(int socket, std::string_view line) {
  (void)!send(socket, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

NetworkDoor::NetworkDoor(NetworkRules rules, Admit admit, Take take)
    : rules_(std::move(rules)),
      admit_(std::move(admit)),
      take_(std::move(take)),
      bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pool_(most_sessions) {}

base::Result<std::unique_ptr<NetworkDoor>> NetworkDoor::open(NetworkRules rules, Admit admit,
                                                             Take take) {
  std::unique_ptr<NetworkDoor> door(
      new NetworkDoor(std::move(rules), std::move(admit), std::move(take)));
  base::Done listening = door->listen();
  if (!listening) return std::move(listening).error();
  return door;
}

base::Done NetworkDoor::listen() {
  if (!rules_.certificate.empty()) {
    base::Result<std::shared_ptr<net::TlsContext>> context =
        net::make_tls_server_context(rules_.certificate);
    if (!context) return std::move(context).error();
    tls_ = std::move(*context);
  }
  for (const std::string& place : rules_.listen) {
    base::Result<base::Fd> socket = listen_on(place);
    if (!socket) return std::move(socket).error();
    listeners_.push_back(std::move(*socket));
  }
  thread_ = std::thread([this] { serve_all(); });
  return base::done();
}

NetworkDoor::~NetworkDoor() {
  over_ = true;
  const std::uint64_t one = 1;
  (void)!write(bell_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard<std::mutex> hold(lock_);
    for (const auto& [fd, copy] : live_) shutdown(copy.get(), SHUT_RD);
  }
  pool_.finish();
}

void NetworkDoor::serve_all() {
  std::vector<pollfd> ends = {{bell_.get(), POLLIN, 0}};
  for (const base::Fd& one : listeners_) ends.push_back({one.get(), POLLIN, 0});
  while (!over_) {
    if (poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) return;
    for (std::size_t i = 1; i < ends.size(); ++i) {
      if (ends[i].revents != 0) welcome(ends[i].fd);
    }
  }
}

void NetworkDoor::welcome(int listener) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  base::Fd socket(accept4(listener, reinterpret_cast<sockaddr*>(&address), &length,
                          SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.open()) {
    if (errno == EMFILE || errno == ENFILE) usleep(100'000);
    return;
  }
  if (!lies_in(address, rules_.allow)) return say(socket.get(), "554 5.7.1 Not for you\r\n");
  const std::string from = text_of(address);
  {
    const std::lock_guard<std::mutex> hold(lock_);
    int& of_address = callers_[from];
    if (in_all_ >= static_cast<int>(most_sessions) || of_address >= most_of_address) {
      if (of_address == 0) callers_.erase(from);
      return say(socket.get(), "421 4.3.2 Too many connections, try again later\r\n");
    }
    ++of_address;
    ++in_all_;
  }
  const auto shared = std::make_shared<base::Fd>(std::move(socket));
  pool_.add([this, shared, from](std::size_t) {
    serve(std::move(*shared), from);
    const std::lock_guard<std::mutex> hold(lock_);
    --in_all_;
    if (--callers_[from] == 0) callers_.erase(from);
  });
}

void NetworkDoor::serve(base::Fd socket, const std::string& /*from*/) {
  if (speaks_early(socket.get())) {
    return say(socket.get(), "554 5.5.1 Wait for the greeting\r\n");
  }
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::string account;  // that the peer has signed in for
  submit::SessionRules rules;
  rules.entrance = submit::Entrance::network;
  rules.idle_ms = idle_ms;
  rules.size_limit_bytes = rules_.size_limit_bytes;
  rules.peer.over_network = true;
  rules.offers_tls = tls_ != nullptr;
  rules.wants_auth = rules_.wants_auth;
  rules.from_base64 = base::from_base64;
  rules.admit = [&](const std::string& name, const base::Secret& password) {
    account = admit_(name, password);
    return !account.empty();
  };
  const int fd = socket.get();
  {
    const std::lock_guard<std::mutex> hold(lock_);
    if (over_) return;
    live_[fd].reset(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }
  net::FdStream stream(std::move(socket));
  // However a session ends, there is nobody to tell.
  static_cast<void>(submit::serve(
                        stream, rules,
                        [&](mail::Submission submission, const base::Trace&, bool) {
                          submission.asked_account = account;
                          return take_(std::move(submission));
                        },
                        [&](net::Stream& plain) {
                          return net::accept_tls(*tls_, plain.take_socket(),
                                                 base::Deadline::after_ms(handshake_ms));
                        })
                        .ok());
  const std::lock_guard<std::mutex> hold(lock_);
  live_.erase(fd);
}

}  // namespace agent
