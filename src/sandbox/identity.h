// identity: the sign-in service: authorize, devicecode, token, introspection, discovery.
// Source: facts/providers.md 1.3-1.9; RFC 6749, 7636, 7662, 8252, 8628. Threads: any.
// Trusts: nothing; every refusal has Entra's number.
#pragma once

#include <optional>
#include <string>

#include "sandbox/entra.h"
#include "sandbox/fault.h"
#include "sandbox/journal.h"
#include "sandbox/options.h"
#include "sandbox/tenant.h"
#include "sandbox/web.h"

namespace sandbox {

class Identity {
 public:
  Identity(const Options& options, Tenant& tenant, Journal& journal, FaultBoard& faults)
      : options_(options), tenant_(tenant), journal_(journal), faults_(faults) {}

  // "https://127.0.0.1:4443", known when the server is bound.
  void set_base_url(const std::string& base_url) { base_url_ = base_url; }

  // Every path that is not the control endpoint's.
  WebAnswer answer(const WebRequest& request);

 private:
  struct Client {
    App app;
    std::string proof;  // "none", "secret", "assertion"
  };
  struct TokenFacts {
    std::string user;
    std::string client_id;
    Scope scope;
    bool with_refresh = false;
    std::string nonce{};
  };

  WebAnswer tenant_service(const WebRequest& request, const std::string& tenant,
                           const std::string& service);
  // token (identity_token.cpp, identity_client.cpp)
  WebAnswer token(const WebRequest& request, const std::string& tenant);
  WebAnswer grant(const WebRequest& request, const std::string& tenant, const std::string& kind);
  WebAnswer by_code(const WebRequest& request, const App& app);
  WebAnswer by_refresh(const WebRequest& request, const App& app);
  WebAnswer by_client(const WebRequest& request, const App& app, const std::string& tenant);
  WebAnswer by_device(const WebRequest& request, const App& app);
  WebAnswer token_answer(const TokenFacts& facts);
  std::string id_token(const TokenFacts& facts, std::int64_t issued);
  std::string issuer() const { return base_url_ + "/" + tenant_.id() + "/v2.0"; }
  static WebAnswer fault_answer(const Fault& fault);
  std::optional<EntraError> prove_client(const WebRequest& request, const std::string& tenant,
                                         bool app_only, Client& client);
  std::optional<EntraError> prove_assertion(const WebRequest& request, const std::string& tenant,
                                            const App& app);
  // sign-in (identity_sign_in.cpp)
  WebAnswer authorize(const WebRequest& request);
  WebAnswer decide(const WebRequest& request, const Parameters& asked, const std::string& user,
                   bool agreed);
  WebAnswer device_code(const WebRequest& request);
  WebAnswer device_page(const WebRequest& request);
  WebAnswer introspect(const WebRequest& request);
  WebAnswer discovery(const std::string& tenant);

  const Options& options_;
  Tenant& tenant_;
  Journal& journal_;
  FaultBoard& faults_;
  std::string base_url_;
};

// RFC 8252 and Entra: for http://localhost the port does not count; the path does, in its case.
bool redirect_allowed(const std::vector<std::string>& registered, const std::string& asked);
// RFC 7636 section 4.6.
bool verifier_matches(const std::string& verifier, const std::string& challenge,
                      const std::string& method);

}  // namespace sandbox
