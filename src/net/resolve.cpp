#include "net/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.h"

namespace net {

namespace {

// A black hole among several addresses may not eat the time of the others.
constexpr std::int64_t one_attempt_ms = 10'000;
constexpr std::int64_t least_attempt_ms = 250;
constexpr std::size_t most_addresses = 16;

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t length = 0;
};

struct Target {
  const std::string& host;
  std::uint16_t port;
  std::int64_t timeout_ms;
};

base::Error unreachable(const Target& target, const std::string& reason,
                        const std::string& cure = "try again") {
  const bool literal_v6 = target.host.find(':') != std::string::npos;
  const std::string host = base::clean(target.host, 255);
  return base::failure(base::Fault::unavailable,
                       "cannot reach " + (literal_v6 ? "[" + host + "]" : host) + ":" +
                           std::to_string(target.port) + " (" + reason + ")",
                       cure);
}

base::Error too_late(const Target& target) {
  base::Error error =
      unreachable(target, "timed out after " + std::to_string((target.timeout_ms + 999) / 1000) +
                              " s; is port " + std::to_string(target.port) + " blocked?");
  error.sys = ETIMEDOUT;
  return error;
}

base::Error unresolved(const Target& target, int answer) {
  if (answer == EAI_NONAME || answer == EAI_NODATA) {
    return unreachable(target, "name not found", "check smtp_host, or try again");
  }
  if (answer == EAI_AGAIN) return unreachable(target, "the name servers do not answer");
  return unreachable(target, base::clean(gai_strerror(answer), 100));
}

std::vector<SocketAddress> collect(const addrinfo* list) {
  std::vector<SocketAddress> out;
  for (const addrinfo* one = list; one != nullptr && out.size() < most_addresses;
       one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    SocketAddress address;
    address.length = one->ai_addrlen;
    std::memcpy(&address.bytes, one->ai_addr, one->ai_addrlen);
    out.push_back(address);
  }
  return out;
}

addrinfo wanted(int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  return hints;
}

// An address written as numbers: neither a thread nor the network is needed.
std::vector<SocketAddress> numeric(const std::string& host, const std::string& port) {
  const addrinfo hints = wanted(AI_NUMERICHOST);
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &list) != 0) return {};
  std::vector<SocketAddress> out = collect(list);
  freeaddrinfo(list);
  return out;
}

// RFC 6761 6.3: localhost is the loopback, whatever a resolver says.
std::vector<SocketAddress> loopback(const std::string& port) {
  std::vector<SocketAddress> out = numeric("127.0.0.1", port);
  const std::vector<SocketAddress> v6 = numeric("::1", port);
  out.insert(out.end(), v6.begin(), v6.end());
  return out;
}

// What a look-up on another thread works on. It must outlive a look-up that cannot be cancelled.
struct Lookup {
  std::string host{};
  std::string port{};
  addrinfo hints{};
  gaicb request{};
};

// getaddrinfo(3) has no deadline, so it runs on a thread of the C library and is waited for.
base::Result<std::vector<SocketAddress>> look_up(const Target& target, base::Deadline deadline) {
  auto lookup = std::make_unique<Lookup>();
  lookup->host = target.host;
  lookup->port = std::to_string(target.port);
  lookup->hints = wanted(0);
  lookup->request.ar_name = lookup->host.c_str();
  lookup->request.ar_service = lookup->port.c_str();
  lookup->request.ar_request = &lookup->hints;
  gaicb* list[] = {&lookup->request};
  const int started = getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr);
  if (started != 0) return unresolved(target, started);
  int answer = EAI_INPROGRESS;
  while ((answer = gai_error(&lookup->request)) == EAI_INPROGRESS && !deadline.passed()) {
    const int left_ms = deadline.left_ms();
    const timespec wait{left_ms / 1000, (left_ms % 1000) * 1'000'000L};
    gai_suspend(list, 1, &wait);
  }
  if (answer == EAI_INPROGRESS) {
    // Not cancelled means the thread still writes to it: it keeps its memory.
    if (gai_cancel(&lookup->request) == EAI_NOTCANCELED) static_cast<void>(lookup.release());
    return unreachable(target, "the name servers do not answer");
  }
  if (answer != 0) return unresolved(target, answer);
  std::vector<SocketAddress> out = collect(lookup->request.ar_result);
  freeaddrinfo(lookup->request.ar_result);
  return out;
}

base::Result<std::vector<SocketAddress>> addresses_of(const Target& target,
                                                      base::Deadline deadline) {
  const std::string port = std::to_string(target.port);
  std::vector<SocketAddress> out = numeric(target.host, port);
  if (out.empty() && base::same_ignoring_case(target.host, "localhost")) out = loopback(port);
  if (!out.empty()) return out;
  return look_up(target, deadline);
}

// errno of a connect under way, ETIMEDOUT when the deadline comes first, 0 when connected.
int finish_connect(int fd, base::Deadline deadline) {
  for (;;) {
    pollfd one{fd, POLLOUT, 0};
    const int ready = poll(&one, 1, deadline.left_ms());
    if (ready == 0 && deadline.passed()) return ETIMEDOUT;
    if (ready < 0 && errno != EINTR) return errno;
    if (ready <= 0) continue;
    int fault = 0;
    socklen_t length = sizeof fault;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &length) != 0) return errno;
    return fault;
  }
}

int connect_one(const SocketAddress& address, base::Deadline deadline, base::Fd& out) {
  base::Fd fd(socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.open()) return errno;
  // Without it a small write behind another waits for the peer's delayed acknowledgement.
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address.bytes);
  int fault = connect(fd.get(), raw, address.length) == 0 ? 0 : errno;
  if (fault == EINPROGRESS || fault == EINTR) fault = finish_connect(fd.get(), deadline);
  if (fault == 0) out = std::move(fd);
  return fault;
}

}  // namespace

base::Result<base::Fd> connect_tcp(const std::string& host, std::uint16_t port,
                                   std::int64_t timeout_ms) {
  AddressTurn turn;
  return connect_tcp(host, port, timeout_ms, turn);
}

base::Result<base::Fd> connect_tcp(const std::string& host, std::uint16_t port,
                                   std::int64_t timeout_ms, AddressTurn& turn) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string plain = bracketed ? host.substr(1, host.size() - 2) : host;
  const Target target{plain, port, timeout_ms};
  const base::Deadline deadline = base::Deadline::after_ms(timeout_ms);
  base::Result<std::vector<SocketAddress>> addresses = addresses_of(target, deadline);
  if (!addresses) return std::move(addresses).error();
  bool slow = false;
  int fault = 0;
  const std::size_t count = addresses->size();
  auto untried = static_cast<std::int64_t>(count - std::min(count, turn.next));
  turn.more = false;
  while (turn.next < count) {
    const SocketAddress& address = (*addresses)[turn.next++];
    if (deadline.passed()) return too_late(target);
    const std::int64_t share = std::max(least_attempt_ms, deadline.left_ms() / untried--);
    const std::int64_t attempt_ms = untried > 0 ? std::min(one_attempt_ms, share) : timeout_ms;
    base::Fd fd;
    fault = connect_one(address, base::Deadline::after_ms(attempt_ms).or_sooner(deadline), fd);
    if (fault == 0) {
      turn.more = turn.next < count;
      return fd;
    }
    slow = slow || fault == ETIMEDOUT;
  }
  if (slow) return too_late(target);
  if (fault == 0) return unreachable(target, "name has no address", "check smtp_host");
  base::Error error = unreachable(target, base::clean(strerrordesc_np(fault), 100));
  error.sys = fault;
  return error;
}

}  // namespace net
