#include "transport/deliver.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "net/resolve.h"
#include "net/tls.h"
#include "transport/connections.h"
#include "transport/graph.h"
#include "transport/smtp_delivery.h"

namespace transport {

namespace {

// The real wire: TCP, and TLS as the account trusts it.
class TcpWire : public Wire {
 public:
  TcpWire(const account::Account& account, Connections& connections)
      : account_(account), connections_(connections) {}

  base::Result<std::unique_ptr<net::Stream>> connect(std::int64_t timeout_ms) override {
    base::Result<base::Fd> socket =
        net::connect_tcp(account_.smtp_host, account_.smtp_port, timeout_ms, turn_);
    if (!socket) return std::move(socket).error();
    return std::unique_ptr<net::Stream>(std::make_unique<net::FdStream>(std::move(*socket)));
  }

  void start_over() override { turn_ = {}; }
  bool another() const override { return turn_.more; }

  base::Result<std::unique_ptr<net::Stream>> secure(std::unique_ptr<net::Stream> plain,
                                                    base::Deadline deadline) override {
    const net::TlsTrust trust{account_.ca_file, account_.tls_client_certificate};
    base::Result<std::shared_ptr<net::TlsContext>> context = connections_.trust(trust);
    if (!context) return std::move(context).error();
    net::TlsMemory memory{&connections_.known(),
                          std::to_string(geteuid()) + "\n" + account_.smtp_host + "\n" +
                              std::to_string(account_.smtp_port) + "\n" + net::trust_words(trust)};
    return net::start_tls(**context, plain->take_socket(), account_.smtp_host, deadline, memory);
  }

 private:
  const account::Account& account_;
  Connections& connections_;
  net::AddressTurn turn_;
};

std::vector<base::Fate> over_smtp(const Delivery& delivery) {
  const Phases phases = Phases::scaled(delivery.account->timeout_s, delivery.message->size_bytes());
  KnownServers nobody;
  Connections once(nobody);
  TcpWire wire(*delivery.account, delivery.connections != nullptr ? *delivery.connections : once);
  return deliver_by_smtp(delivery, wire, phases);
}

}  // namespace

std::vector<base::Fate> deliver(const Delivery& delivery) {
  switch (delivery.account->transport) {
    case account::Transport::smtp:
      return over_smtp(delivery);
    case account::Transport::graph:
      break;
  }
  return deliver_by_graph(delivery);
}

}  // namespace transport
