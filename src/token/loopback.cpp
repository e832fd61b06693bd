#include "token/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <list>

#include "token/landing_page.h"
#include "token/loopback_request.h"

namespace token {

namespace {

constexpr std::size_t most_connections = 32;
constexpr std::size_t most_accepted = 64;  // in one step
constexpr std::size_t head_limit_bytes = std::size_t{16} * 1024;
constexpr std::int64_t request_ms = 10'000;
constexpr std::int64_t farewell_ms = 2000;
constexpr int port_attempts = 20;
constexpr int backlog = 128;

base::Fd listener_on(const sockaddr* address, socklen_t size) {
  base::Fd socket(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open()) return socket;
  const int yes = 1;
  if (address->sa_family == AF_INET6) {
    setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  }
  if (bind(socket.get(), address, size) != 0 || listen(socket.get(), backlog) != 0) {
    return base::Fd();
  }
  return socket;
}

base::Fd listen_v4(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return listener_on(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

base::Fd listen_v6(std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_port = htons(port);
  return listener_on(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::uint16_t port_of(const base::Fd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.sin_port);
}

bool again(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// One browser, or whoever else: its request comes, its answer goes, then it is waited for to
// close, for a close with unread bytes would take the answer with it.
struct Connection {
  Connection(base::Fd opened, base::Deadline until) : socket(std::move(opened)), deadline(until) {}

  enum class Stage { reading, writing, leaving, over };
  base::Fd socket;
  base::Deadline deadline;
  Stage stage = Stage::reading;
  std::string head{};
  std::string answer{};

  short events() const { return stage == Stage::writing ? POLLOUT : POLLIN; }
  bool take_head();
  void put_answer();
  void leave();
};

// True when the head is whole.
bool Connection::take_head() {
  std::array<char, 4096> buffer{};
  while (stage == Stage::reading) {
    const ssize_t got = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && again(errno)) return false;
    if (got <= 0) {
      stage = Stage::over;
      return false;
    }
    head.append(buffer.data(), static_cast<std::size_t>(got));
    if (head.find("\r\n\r\n") != std::string::npos) return true;
    if (head.size() > head_limit_bytes) stage = Stage::over;
  }
  return false;
}

void Connection::put_answer() {
  while (!answer.empty()) {
    const ssize_t put = send(socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    if (put < 0 && again(errno)) return;
    if (put <= 0) {
      stage = Stage::over;
      return;
    }
    answer.erase(0, static_cast<std::size_t>(put));
  }
  shutdown(socket.get(), SHUT_WR);
  stage = Stage::leaving;
}

void Connection::leave() {
  std::array<char, 4096> buffer{};
  // A body that nobody asked for is read away, within bounds.
  for (int i = 0; i < 16; ++i) {
    const ssize_t got = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && again(errno)) return;
    if (got <= 0) {
      stage = Stage::over;
      return;
    }
  }
}

}  // namespace

struct Loopback::State {
  std::string words;  // our state
  std::uint16_t port = 0;
  std::array<base::Fd, 2> listeners{};
  std::list<Connection> connections{};
  std::optional<RedirectAnswer> answer{};

  void accept_from(const base::Fd& listener);
  void serve(Connection& connection);
};

void Loopback::State::accept_from(const base::Fd& listener) {
  for (std::size_t i = 0; listener.open() && i < most_accepted; ++i) {
    base::Fd socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.open()) {
      // No descriptors left: those who only sit here give way, so that the next one comes in.
      if ((errno == EMFILE || errno == ENFILE) && !connections.empty()) connections.pop_front();
      return;
    }
    connections.emplace_back(std::move(socket), base::Deadline::after_ms(request_ms));
    // A browser sends at once: it has been heard before the next one can push it out.
    serve(connections.back());
    if (connections.size() > most_connections) connections.pop_front();
  }
}

void Loopback::State::serve(Connection& connection) {
  if (connection.stage == Connection::Stage::reading && connection.take_head()) {
    LoopbackRequest request = read_loopback_request(connection.head, words, port);
    if (request.answer && !answer) {
      connection.answer = landing_page(*request.answer);
      answer = std::move(request.answer);
    } else {
      connection.answer = not_found_page(request.head ? WithBody::no : WithBody::yes);
    }
    base::wipe(connection.head);  // the code
    connection.stage = Connection::Stage::writing;
    connection.deadline = base::Deadline::after_ms(farewell_ms);
  }
  if (connection.stage == Connection::Stage::writing) connection.put_answer();
  if (connection.stage == Connection::Stage::leaving) connection.leave();
}

base::Result<std::unique_ptr<Loopback>> Loopback::open(std::string state) {
  auto made = std::make_unique<State>();
  made->words = std::move(state);
  int sys = 0;
  // The kernel's choice on 127.0.0.1; the same on ::1, unless somebody has that one there.
  for (int i = 0; i < port_attempts; ++i) {
    made->listeners[0] = listen_v4(0);
    if (!made->listeners[0].open()) {
      sys = errno;
      break;
    }
    made->port = port_of(made->listeners[0]);
    errno = 0;
    made->listeners[1] = listen_v6(made->port);
    if (made->listeners[1].open() || errno != EADDRINUSE) {
      return std::unique_ptr<Loopback>(new Loopback(std::move(made)));
    }
  }
  return base::failure_errno(base::Fault::os, "cannot open a port on 127.0.0.1",
                             sys == 0 ? EADDRINUSE : sys);
}

Loopback::Loopback(std::unique_ptr<State> state) : state_(std::move(state)) {}
Loopback::~Loopback() = default;

std::uint16_t Loopback::port() const {
  return state_->port;
}

void Loopback::add_watched(std::vector<pollfd>& watched) const {
  for (const base::Fd& listener : state_->listeners) {
    if (listener.open()) watched.push_back({listener.get(), POLLIN, 0});
  }
  for (const Connection& connection : state_->connections) {
    watched.push_back({connection.socket.get(), connection.events(), 0});
  }
}

base::Deadline Loopback::next_deadline() const {
  base::Deadline next = base::Deadline::never();
  for (const Connection& connection : state_->connections) {
    next = next.or_sooner(connection.deadline);
  }
  return next;
}

std::optional<RedirectAnswer> Loopback::step() {
  for (Connection& connection : state_->connections) state_->serve(connection);
  for (const base::Fd& listener : state_->listeners) state_->accept_from(listener);
  state_->connections.remove_if([](const Connection& connection) {
    return connection.stage == Connection::Stage::over || connection.deadline.passed();
  });
  return std::exchange(state_->answer, std::nullopt);
}

}  // namespace token
