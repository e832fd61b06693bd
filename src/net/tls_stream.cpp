#include "net/tls_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/clock.h"

namespace net {

namespace {

// A large write is cut into pieces of this size, so that no more waits in memory.
constexpr std::size_t piece_bytes = std::size_t{64} * 1024;
constexpr std::size_t record_bytes = std::size_t{16} * 1024;
constexpr std::size_t record_overhead_bytes = 256;

base::Error late() {
  base::Error error = base::failure(base::Fault::unavailable, "timed out");
  error.sys = ETIMEDOUT;
  return error;
}

base::Error cut(const std::string& cause) {
  base::Error error = base::failure(base::Fault::unavailable, cause);
  error.sys = ECONNRESET;
  return error;
}

// The reason that OpenSSL noted, in words that help.
std::string noted_reason() {
  const unsigned long noted = ERR_peek_error();
  if (ERR_GET_LIB(noted) == ERR_LIB_SSL && ERR_GET_REASON(noted) == SSL_R_WRONG_VERSION_NUMBER) {
    return "the server does not speak TLS here; check the port and smtp_tls";
  }
  // Not loaded at the start, which they would cost a million instructions.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  ERR_load_SSL_strings();
#pragma GCC diagnostic pop
  if (ERR_GET_REASON(noted) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) {
    return "the server wants a client certificate; set tls_client_certificate";
  }
  const char* words = ERR_reason_error_string(noted);
  return words != nullptr ? words : "protocol error";
}

}  // namespace

// --- The socket as OpenSSL sees it.

BIO_METHOD* TlsStream::wire_methods() {
  const auto read = [](BIO* bio, char* into, int count) -> int {
    auto* wire = static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t got = 0;
    do {
      got = recv(wire->fd, into, static_cast<std::size_t>(count), 0);
    } while (got < 0 && errno == EINTR);
    if (got == 0) wire->ended = true;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
    return static_cast<int>(got);
  };
  const auto write = [](BIO* bio, const char* bytes, int count) -> int {
    auto* wire = static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    wire->out.append(bytes, static_cast<std::size_t>(count));
    return count;
  };
  const auto control = [](BIO* bio, int command, long, void*) -> long {
    const auto* wire = static_cast<const Wire*>(BIO_get_data(bio));
    if (command == BIO_CTRL_EOF) return wire->ended ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;  // we say when it leaves
  };
  static BIO_METHOD* const methods = [&] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == nullptr) return made;
    BIO_meth_set_read(made, read);
    BIO_meth_set_write(made, write);
    BIO_meth_set_ctrl(made, control);
    BIO_meth_set_create(made, [](BIO* bio) -> int {
      BIO_set_init(bio, 1);
      return 1;
    });
    return made;
  }();
  return methods;
}

TlsStream::TlsStream(base::Fd socket, Ssl session)
    : socket_(std::move(socket)), ssl_(std::move(session)) {
  wire_.fd = socket_.get();
  BIO* bio = wire_methods() != nullptr ? BIO_new(wire_methods()) : nullptr;
  if (bio == nullptr || !ssl_ || SSL_set_app_data(ssl_.get(), &notes_) != 1) {
    BIO_free(bio);
    ssl_.reset();
    return;
  }
  BIO_set_data(bio, &wire_);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::~TlsStream() {
  if (!ssl_) return;
  // One try: the peer need not answer.
  if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
  flush_once();
  keep_session();
  ERR_clear_error();
}

// --- Sessions.

void TlsStream::remember(const TlsMemory& memory) {
  memory_ = memory;
  if (memory_.sessions == nullptr) return;
  std::optional<TlsSession> known = memory_.sessions->take(memory_.words);
  if (!known || !known->usable(base::wall_seconds())) return;
  const auto* at = reinterpret_cast<const unsigned char*>(known->bytes.reveal().data());
  const SslSession session(d2i_SSL_SESSION(nullptr, &at, static_cast<long>(known->bytes.size())));
  if (session && SSL_set_session(ssl_.get(), session.get()) == 1) offered_ = std::move(known);
  ERR_clear_error();
}

namespace {

// When the first certificate of the verified chain ends.
std::int64_t chain_end(const SSL* ssl) {
  std::int64_t end = INT64_MAX;
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    tm date{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(chain, i)), &date) != 1) return 0;
    end = std::min<std::int64_t>(end, timegm(&date));
  }
  return chain == nullptr ? 0 : end;
}

base::Secret bytes_of(SSL_SESSION* session) {
  unsigned char* der = nullptr;
  const int size = i2d_SSL_SESSION(session, &der);
  if (size <= 0) return {};
  base::Secret out(
      std::string_view(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return out;
}

}  // namespace

// A server that resumes a session and gives no other in its place (Postfix) means it to be used
// again; one that gives another wants that used (docs/decisions/0012).
void TlsStream::keep_session() {
  if (memory_.sessions == nullptr || SSL_is_init_finished(ssl_.get()) != 1) return;
  const bool resumed = offered_ && SSL_session_reused(ssl_.get()) == 1;
  if (!notes_.newest) {
    if (resumed) memory_.sessions->keep(memory_.words, std::move(*offered_));
    return;
  }
  if (SSL_get_verify_result(ssl_.get()) != X509_V_OK) return;
  const std::int64_t now = base::wall_seconds();
  TlsSession kept;
  kept.verified_s = resumed ? offered_->verified_s : now;
  // Renewed or not: the certificate is looked at again after an hour.
  const std::int64_t verified_until =
      resumed ? offered_->expires_s : std::min(now + session_life_s, chain_end(ssl_.get()));
  kept.expires_s = std::min<std::int64_t>(
      verified_until,
      now + static_cast<std::int64_t>(SSL_SESSION_get_timeout(notes_.newest.get())));
  kept.bytes = bytes_of(notes_.newest.get());
  if (kept.usable(now)) memory_.sessions->keep(memory_.words, std::move(kept));
}

bool TlsSession::usable(std::int64_t now) const {
  return !bytes.empty() && verified_s <= now && now < expires_s &&
         expires_s - verified_s <= session_life_s;
}

// --- The stream.

base::Done TlsStream::shake_hands(base::Deadline deadline) {
  base::Done shaken = repeat(deadline, [this] { return SSL_do_handshake(ssl_.get()); });
  // A peer that takes its leave in the midst of it has agreed to nothing.
  if (shaken && SSL_is_init_finished(ssl_.get()) != 1) return cut("connection closed");
  return shaken;
}

base::Result<std::size_t> TlsStream::read(char* into, std::size_t count, base::Deadline deadline) {
  std::size_t got = 0;
  base::Done finished =
      repeat(deadline, [&] { return SSL_read_ex(ssl_.get(), into, count, &got); });
  if (!finished) return std::move(finished).error();
  return got;  // 0: the peer said close_notify
}

// The socket alone cannot tell: tickets and key updates make it readable without a word said.
base::Result<bool> TlsStream::has_input() {
  char one = 0;
  std::size_t got = 0;
  ERR_clear_error();
  errno = 0;
  const int answer = SSL_peek_ex(ssl_.get(), &one, 1, &got);
  if (answer > 0) return true;
  const int why = SSL_get_error(ssl_.get(), answer);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  if (why == SSL_ERROR_ZERO_RETURN) return true;
  return give_up(why, errno);
}

base::Done TlsStream::write(std::string_view bytes, base::Deadline deadline) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    std::size_t put = 0;
    // Room for all records of it at once; growing by doubling would touch twice the memory.
    if (piece.size() > record_bytes) wire_.out.reserve(piece_bytes + 8 * record_overhead_bytes);
    base::Done finished = repeat(
        deadline, [&] { return SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &put); });
    if (!finished) return finished;
    if (put == 0) return cut("connection closed");
    finished = flush(deadline);
    if (!finished) return finished;
    bytes.remove_prefix(put);
    if (!bytes.empty() && deadline.passed()) return late();
  }
  if (!std::exchange(greeted_, true)) acknowledge_at_once();
  return base::done();
}

// Behind a full handshake the server sends a ticket, and its kernel keeps the answer to our first
// words back until that is acknowledged (Nagle): which must not wait for a delayed acknowledgement.
void TlsStream::acknowledge_at_once() const {
  if (SSL_session_reused(ssl_.get()) == 1) return;
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

// One operation of OpenSSL until it is through: waits whenever it needs the socket.
template <typename Operation>
base::Done TlsStream::repeat(base::Deadline deadline, Operation operation) {
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int answer = operation();
    if (answer > 0) return base::done();
    const int why = SSL_get_error(ssl_.get(), answer);
    if (why == SSL_ERROR_ZERO_RETURN) return base::done();
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return give_up(why, errno);
    base::Done ready = flush(deadline);
    if (ready && why == SSL_ERROR_WANT_READ) ready = wait(POLLIN, deadline);
    if (!ready) return ready;
  }
}

base::Done TlsStream::flush(base::Deadline deadline) {
  std::string_view left = wire_.out;
  base::Done sent = base::done();
  while (sent && !left.empty()) {
    const ssize_t put = send(wire_.fd, left.data(), left.size(), MSG_NOSIGNAL);
    if (put >= 0) {
      left.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      sent = wait(POLLOUT, deadline);
    } else if (errno != EINTR) {
      sent = give_up(SSL_ERROR_SYSCALL, errno);
    }
  }
  wire_.out.erase(0, wire_.out.size() - left.size());
  return sent;
}

void TlsStream::flush_once() {
  if (wire_.out.empty()) return;
  static_cast<void>(send(wire_.fd, wire_.out.data(), wire_.out.size(), MSG_NOSIGNAL));
  wire_.out.clear();
}

base::Done TlsStream::wait(short what, base::Deadline deadline) const {
  for (;;) {
    pollfd one{socket_.get(), what, 0};
    const int ready = poll(&one, 1, deadline.left_ms());
    if (ready > 0) {
      // Bytes that never make a whole record must not keep us past the deadline.
      if (deadline.passed()) return late();
      return base::done();
    }
    if (ready == 0 && deadline.passed()) return late();
    if (ready < 0 && errno != EINTR) return cut("network error");
  }
}

base::Error TlsStream::give_up(int why, int sys) {
  broken_ = true;
  if (why == SSL_ERROR_SYSCALL) {
    if (sys == 0 || sys == ECONNRESET || sys == EPIPE) return cut("connection closed");
    return base::failure_errno(base::Fault::unavailable, "network error", sys);
  }
  // Without close_notify anybody on the way may have ended the connection.
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return cut("connection cut off");
  }
  return base::failure(base::Fault::unavailable, noted_reason());
}

}  // namespace net
