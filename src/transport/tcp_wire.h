// tcp_wire: the real wire of a dialogue: TCP, and TLS as the account trusts it. `account` and
// `connections` outlive it. Errors: those of net/resolve and net/tls.
#pragma once

#include <memory>

#include "account/account.h"
#include "net/resolve.h"
#include "transport/connections.h"
#include "transport/smtp.h"

namespace transport {

class TcpWire : public Wire {
 public:
  TcpWire(const account::Account& account, Connections& connections)
      : account_(account), connections_(connections) {}

  base::Result<std::unique_ptr<net::Stream>> connect(std::int64_t timeout_ms) override;
  void start_over() override { turn_ = {}; }
  bool another() const override { return turn_.more; }
  base::Result<std::unique_ptr<net::Stream>> secure(std::unique_ptr<net::Stream> plain,
                                                    base::Deadline deadline) override;

 private:
  const account::Account& account_;
  Connections& connections_;
  net::AddressTurn turn_;
};

}  // namespace transport
