// tls_stream: the server's end of one connection, in plain text or inside TLS.
// Owns: the socket. Errors: Fault::unavailable with "connection closed", "timed out" or the TLS
// reason. All waiting is by poll(2) under a deadline.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "sandbox/tls_identity.h"

struct ssl_st;

namespace sandbox {

class Connection {
 public:
  explicit Connection(base::Fd socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // At least one byte; 0 when the peer has ended the connection.
  base::Result<std::size_t> read(char* into, std::size_t count, base::Deadline deadline);
  base::Done write(std::string_view bytes, base::Deadline deadline);
  base::Done accept_tls(const TlsIdentity& identity, CertificateKind kind, base::Deadline deadline);
  bool encrypted() const { return tls_ != nullptr; }
  // Waits until the peer goes away, whatever it sends.
  void wait_for_peer_to_leave(base::Deadline deadline);
  void finish();  // close_notify, end of writing
  void reset();   // when this is dropped, the peer sees a TCP reset
  int fd() const { return socket_.get(); }

 private:
  base::Done wait(short events, base::Deadline deadline);
  base::Done wait_tls(int answer, base::Deadline deadline);
  base::Fd socket_;
  ssl_st* tls_ = nullptr;
};

}  // namespace sandbox
