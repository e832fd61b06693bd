#include "transport/probe.h"

#include <utility>

#include "transport/connections.h"
#include "transport/smtp_auth.h"
#include "transport/tcp_wire.h"

namespace transport {

namespace {

// One connection's try; whether another one is worth it.
bool try_once(const account::Account& account, SignIn& sign_in, Wire& wire,
              const base::Trace& trace, Probe& probe) {
  Dialogue dialogue(account, Phases::scaled(account.timeout_s, 0), trace);
  probe.server = dialogue.server();
  base::Done opened = dialogue.open(wire);
  if (!opened) {
    probe.error = std::move(opened).error();
    return false;
  }
  probe.reached = Probe::Reached::session;
  probe.mechanisms = dialogue.offers().mechanisms;
  base::Done signed_in = account.auth == account::Auth::none ? base::done() : sign_in.run(dialogue);
  dialogue.quit();
  if (signed_in) {
    probe.error.reset();
    probe.reached = Probe::Reached::signed_in;
    return false;
  }
  probe.error = std::move(signed_in).error();
  return sign_in.wants_connection();
}

}  // namespace

Probe probe_smtp(const account::Account& account, const Credential& credential, Wire& wire,
                 const base::Trace& trace) {
  Probe probe;
  if (account.smtp_tls == account::SmtpTls::none && account.auth != account::Auth::none) {
    probe.error = base::failure(base::Fault::config, "smtp_tls = none sends no sign-in",
                                "set smtp_tls = starttls, or auth = none");
  } else {
    SignIn sign_in(account, credential, nullptr);
    if (try_once(account, sign_in, wire, trace, probe)) {
      try_once(account, sign_in, wire, trace, probe);
    }
  }
  if (probe.error && probe.error->account.empty()) probe.error->account = account.name;
  return probe;
}

Probe probe_smtp(const account::Account& account, const Credential& credential,
                 const base::Trace& trace) {
  KnownServers nobody;
  Connections once(nobody);
  TcpWire wire(account, once);
  return probe_smtp(account, credential, wire, trace);
}

}  // namespace transport
