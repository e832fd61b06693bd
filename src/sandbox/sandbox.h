// sandbox: the whole: identity, submission and control on loopback ports, and the files that tell a
// test or a person how to reach them. Source: design section 8; man/mailbearer-sandbox.1.
// Owns: everything that is started; stop() or the end of life ends it. Errors: Fault::config
// (seed), Fault::cannot_create (ports, files).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/control.h"
#include "sandbox/graph.h"
#include "sandbox/http_front.h"
#include "sandbox/identity.h"
#include "sandbox/journal.h"
#include "sandbox/limits.h"
#include "sandbox/listener.h"
#include "sandbox/options.h"
#include "sandbox/submission.h"
#include "sandbox/tenant.h"
#include "sandbox/tls_identity.h"

namespace sandbox {

// Where everything is; what DIR/sandbox.json says.
struct Places {
  std::string directory{};
  std::string ca_file{};
  std::string maildir{};
  std::string journal{};
  std::string base_url{};
  std::string host{};
  std::uint16_t http_port = 0;
  std::uint16_t smtp_port = 0;   // STARTTLS
  std::uint16_t smtps_port = 0;  // TLS from the first byte
  std::string control_token{};
};

class Sandbox {
 public:
  // Ready when it is there: ports bound, files written.
  static base::Result<std::unique_ptr<Sandbox>> start(const Options& options);
  ~Sandbox() { stop(); }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  void stop();
  const Places& places() const { return places_; }
  Tenant& tenant() { return tenant_; }
  Journal& journal() { return journal_; }
  FaultBoard& faults() { return faults_; }

 private:
  Sandbox(const Options& options, Seed seed, Journal journal, std::unique_ptr<TlsIdentity> tls);
  base::Done open_ports();
  void serve();

  Options options_;
  Places places_;
  Tenant tenant_;
  Journal journal_;
  FaultBoard faults_;
  Limits limits_;
  std::unique_ptr<TlsIdentity> tls_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> connections_{0};
  Services services_;
  Identity identity_;
  Graph graph_;
  std::unique_ptr<Control> control_;
  HttpFront http_;
  Listener smtp_;
  Listener smtps_;
};

}  // namespace sandbox
