#include "transport/deliver.h"

#include <memory>
#include <utility>

#include "net/resolve.h"
#include "net/tls.h"
#include "transport/smtp_delivery.h"
#include "transport/smtp_transaction.h"

namespace transport {

namespace {

// The real wire: TCP, and TLS as the account trusts it.
class TcpWire : public Wire {
 public:
  explicit TcpWire(const account::Account& account) : account_(account) {}

  base::Result<std::unique_ptr<net::Stream>> connect(std::int64_t timeout_ms) override {
    base::Result<base::Fd> socket =
        net::connect_tcp(account_.smtp_host, account_.smtp_port, timeout_ms);
    if (!socket) return std::move(socket).error();
    return std::unique_ptr<net::Stream>(std::make_unique<net::FdStream>(std::move(*socket)));
  }

  base::Result<std::unique_ptr<net::Stream>> secure(std::unique_ptr<net::Stream> plain,
                                                    base::Deadline deadline) override {
    if (!context_) {
      base::Result<std::shared_ptr<net::TlsContext>> made =
          net::make_tls_context({account_.ca_file, account_.tls_client_certificate});
      if (!made) return std::move(made).error();
      context_ = std::move(*made);
    }
    return net::start_tls(*context_, plain->take_socket(), account_.smtp_host, deadline);
  }

 private:
  const account::Account& account_;
  std::shared_ptr<net::TlsContext> context_;
};

std::vector<base::Fate> over_smtp(const Delivery& delivery) {
  const Phases phases = Phases::scaled(delivery.account->timeout_s, delivery.message->size_bytes());
  TcpWire wire(*delivery.account);
  return deliver_by_smtp(delivery, wire, phases);
}

std::vector<base::Fate> over_graph(const Delivery& delivery) {
  base::Error error =
      base::failure(base::Fault::config, "transport = graph is not supported by this version",
                    "set transport = smtp");
  error.account = delivery.account->name;
  return same_fate(delivery.message->envelope, error);
}

}  // namespace

std::vector<base::Fate> deliver(const Delivery& delivery) {
  switch (delivery.account->transport) {
    case account::Transport::smtp:
      return over_smtp(delivery);
    case account::Transport::graph:
      break;
  }
  return over_graph(delivery);
}

}  // namespace transport
