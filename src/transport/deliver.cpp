#include "transport/deliver.h"

#include "transport/connections.h"
#include "transport/graph.h"
#include "transport/smtp_delivery.h"
#include "transport/tcp_wire.h"

namespace transport {

namespace {

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
