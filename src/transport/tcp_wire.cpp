#include "transport/tcp_wire.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "net/tls.h"

namespace transport {

base::Result<std::unique_ptr<net::Stream>> TcpWire::connect(std::int64_t timeout_ms) {
  base::Result<base::Fd> socket =
      net::connect_tcp(account_.smtp_host, account_.smtp_port, timeout_ms, turn_);
  if (!socket) return std::move(socket).error();
  return std::unique_ptr<net::Stream>(std::make_unique<net::FdStream>(std::move(*socket)));
}

base::Result<std::unique_ptr<net::Stream>> TcpWire::secure(std::unique_ptr<net::Stream> plain,
                                                           base::Deadline deadline) {
  const net::TlsTrust trust{account_.ca_file, account_.tls_client_certificate};
  base::Result<std::shared_ptr<net::TlsContext>> context = connections_.trust(trust);
  if (!context) return std::move(context).error();
  net::TlsMemory memory{&connections_.known(),
                        std::to_string(geteuid()) + "\n" + account_.smtp_host + "\n" +
                            std::to_string(account_.smtp_port) + "\n" + net::trust_words(trust)};
  return net::start_tls(**context, plain->take_socket(), account_.smtp_host, deadline, memory);
}

}  // namespace transport
