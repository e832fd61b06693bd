// tls_stream: OpenSSL's SSL on a socket as a Stream. What OpenSSL writes is gathered, and leaves in
// one write when an answer is waited for or the caller's bytes are complete. Owns: socket and SSL.
// Errors: as net/stream.
#pragma once

#include <optional>
#include <string>

#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_certificate.h"
#include "net/tls_openssl.h"
#include "net/tls_session.h"

namespace net {

// What OpenSSL's callbacks leave for the stream; found by the SSL's application data.
struct TlsNotes {
  CertificateVerdict verdict{};
  SslSession newest{};  // the last ticket that the server gave
};

class TlsStream : public Stream {
 public:
  // Of a context of make_tls_context(); the socket is non-blocking.
  TlsStream(base::Fd socket, Ssl session);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override;

  bool ready() const { return ssl_ != nullptr; }
  SSL* session() const { return ssl_.get(); }
  TlsNotes& notes() { return notes_; }

  // Before shake_hands(): resumes what is remembered, and keeps what comes of it at the end.
  void remember(const TlsMemory& memory);
  base::Done shake_hands(base::Deadline deadline);

  base::Result<std::size_t> read(char* into, std::size_t count, base::Deadline deadline) override;
  base::Result<bool> has_input() override;
  base::Done write(std::string_view bytes, base::Deadline deadline) override;
  bool encrypted() const override { return true; }
  std::optional<TcpProgress> progress() const override { return tcp_progress(socket_.get()); }

 private:
  // The socket as OpenSSL sees it.
  struct Wire {
    int fd = -1;
    std::string out{};
    bool ended = false;
  };
  static BIO_METHOD* wire_methods();

  template <typename Operation>
  base::Done repeat(base::Deadline deadline, Operation operation);
  base::Done flush(base::Deadline deadline);
  void flush_once();
  base::Done wait(short what, base::Deadline deadline) const;
  base::Error give_up(int why, int sys);
  void acknowledge_at_once() const;
  void keep_session();

  base::Fd socket_;  // before the SSL: closed after it
  Wire wire_;
  Ssl ssl_;
  TlsNotes notes_;
  TlsMemory memory_;
  std::optional<TlsSession> offered_;
  bool greeted_ = false;  // the first write behind the handshake is made
  bool broken_ = false;
};

}  // namespace net
