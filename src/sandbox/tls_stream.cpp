#include "sandbox/tls_stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sandbox {

namespace {

base::Error unavailable(const char* cause) {
  return base::failure(base::Fault::unavailable, cause);
}

int clamp_int(std::size_t count) {
  return static_cast<int>(std::min<std::size_t>(count, 1 << 20));
}

}  // namespace

Connection::Connection(base::Fd socket) : socket_(std::move(socket)) {
  const int flags = fcntl(socket_.get(), F_GETFL);
  fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK);
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() {
  if (tls_ != nullptr) SSL_free(tls_);
}

base::Done Connection::wait(short events, base::Deadline deadline) {
  pollfd waited{socket_.get(), events, 0};
  for (;;) {
    const int ready = poll(&waited, 1, deadline.left_ms());
    if (ready > 0) return base::done();
    if (ready == 0) return unavailable("timed out");
    if (errno != EINTR) return unavailable("connection closed");
  }
}

base::Done Connection::wait_tls(int answer, base::Deadline deadline) {
  switch (SSL_get_error(tls_, answer)) {
    case SSL_ERROR_WANT_READ:
      return wait(POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
      return wait(POLLOUT, deadline);
    default:
      ERR_clear_error();
      return unavailable("connection closed");
  }
}

base::Result<std::size_t> Connection::read(char* into, std::size_t count, base::Deadline deadline) {
  for (;;) {
    base::Done waited = base::done();
    if (tls_ != nullptr) {
      ERR_clear_error();
      const int got = SSL_read(tls_, into, clamp_int(count));
      if (got > 0) return static_cast<std::size_t>(got);
      if (SSL_get_error(tls_, got) == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
      waited = wait_tls(got, deadline);
    } else {
      const ssize_t got = recv(socket_.get(), into, count, 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return unavailable("connection closed");
      waited = wait(POLLIN, deadline);
    }
    if (!waited) return std::move(waited).error();
  }
}

base::Done Connection::write(std::string_view bytes, base::Deadline deadline) {
  while (!bytes.empty()) {
    base::Done waited = base::done();
    if (tls_ != nullptr) {
      ERR_clear_error();
      const int put = SSL_write(tls_, bytes.data(), clamp_int(bytes.size()));
      if (put > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(put));
        continue;
      }
      waited = wait_tls(put, deadline);
    } else {
      const ssize_t put = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(put));
        continue;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return unavailable("connection closed");
      waited = wait(POLLOUT, deadline);
    }
    if (!waited) return waited;
  }
  return base::done();
}

base::Done Connection::accept_tls(const TlsIdentity& identity, CertificateKind kind,
                                  base::Deadline deadline) {
  tls_ = SSL_new(identity.context(kind));
  if (tls_ == nullptr || SSL_set_fd(tls_, socket_.get()) != 1) return unavailable("no TLS");
  for (;;) {
    ERR_clear_error();
    const int answer = SSL_accept(tls_);
    if (answer == 1) return base::done();
    base::Done waited = wait_tls(answer, deadline);
    if (!waited) return waited;
  }
}

void Connection::wait_for_peer_to_leave(base::Deadline deadline) {
  std::array<char, 4096> thrown_away{};
  while (!deadline.passed()) {
    const base::Result<std::size_t> got = read(thrown_away.data(), thrown_away.size(), deadline);
    if (!got || *got == 0) return;
  }
}

void Connection::finish() {
  if (tls_ != nullptr) {
    ERR_clear_error();
    SSL_shutdown(tls_);
    ERR_clear_error();
  }
  shutdown(socket_.get(), SHUT_WR);
}

void Connection::reset() {
  const linger now{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace sandbox
