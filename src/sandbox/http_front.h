// http_front: the HTTPS side: cpp-httplib with the certificate of tls_identity, on loopback only.
// Requests become WebRequests for one service. Owns: the servers and their threads. Limits: a body
// of 4 MiB, a path of 1,000 octets, 64 requests at once. Errors: Fault::cannot_create.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/tls_identity.h"
#include "sandbox/web.h"

namespace sandbox {

class HttpFront {
 public:
  HttpFront();
  ~HttpFront();
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;

  base::Done bind(const TlsIdentity& tls, const std::vector<std::string>& addresses,
                  std::uint16_t port);
  std::uint16_t port() const { return port_; }
  void start(WebService service, WebGate gate = {});
  void stop();

 private:
  struct Servers;
  std::unique_ptr<Servers> servers_;
  std::uint16_t port_ = 0;
};

}  // namespace sandbox
