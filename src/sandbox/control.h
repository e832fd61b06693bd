// control: the endpoint by which a test makes things go wrong and counts what happened.
// Source: man/mailbearer-sandbox.1. POST /control/VERB with a JSON object, GET /control/journal;
// Authorization: Bearer and the token of this start. Errors: 401, 400 with a sentence, 404.
#pragma once

#include <string>

#include "sandbox/fault.h"
#include "sandbox/graph_drafts.h"
#include "sandbox/journal.h"
#include "sandbox/json.h"
#include "sandbox/limits.h"
#include "sandbox/options.h"
#include "sandbox/tenant.h"
#include "sandbox/web.h"

namespace sandbox {

class Control {
 public:
  Control(const Options& options, Tenant& tenant, Journal& journal, FaultBoard& faults,
          Limits& limits, GraphDrafts& drafts, std::string token)
      : options_(options),
        tenant_(tenant),
        journal_(journal),
        faults_(faults),
        limits_(limits),
        drafts_(drafts),
        token_(std::move(token)) {}

  WebAnswer answer(const WebRequest& request);

 private:
  struct Verb {
    const char* path;
    std::string (Control::*act)(const Json& asked, Json& told);  // what is wrong, or empty
  };
  std::string fault(const Json& asked, Json& told);
  std::string reset(const Json& asked, Json& told);
  std::string revoke(const Json& asked, Json& told);
  std::string expire(const Json& asked, Json& told);
  std::string secret(const Json& asked, Json& told);
  std::string smtp_auth(const Json& asked, Json& told);
  std::string device(const Json& asked, Json& told);
  std::string limits(const Json& asked, Json& told);
  std::string certificate(const Json& asked, Json& told);
  std::string sessions(const Json& asked, Json& told);
  std::string issue(const Json& asked, Json& told);

  const Options& options_;
  Tenant& tenant_;
  Journal& journal_;
  FaultBoard& faults_;
  Limits& limits_;
  GraphDrafts& drafts_;
  std::string token_;
};

// A fault as the control endpoint is told it; `wrong` says what cannot be understood.
Fault read_fault(const Json& asked, std::string& wrong);

}  // namespace sandbox
