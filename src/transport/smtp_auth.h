// smtp_auth: signing in. Source: RFC 4954 (AUTH, line lengths), RFC 7628 (OAUTHBEARER), Google's
// and Microsoft's XOAUTH2 pages (facts/providers.md 5.1), RFC 4616 (PLAIN). Secrets leave only
// inside TLS; a trace sees "AUTH XOAUTH2 ***", and a server that quotes them is not repeated.
// Limits: 12,288 octets of base64. Errors: Fault::config (mechanism not offered, user or secret
// unfit), those of the credential, and the table of replies.
#pragma once

#include "base/secret.h"
#include "transport/deliver.h"
#include "transport/known_servers.h"
#include "transport/smtp.h"

namespace transport {

// One delivery's way through signing in: it outlives a connection that the server closes after a
// refusal, so that a fresh token is asked for once.
class SignIn {
 public:
  // known: who takes no initial response is asked there and noted; may be null.
  SignIn(const account::Account& account, const Credential& credential, KnownServers* known)
      : account_(account), credential_(credential), known_(known) {}

  // Signs in on an open dialogue. A refused token is replaced by a fresh one, once, on the same
  // connection.
  base::Done run(Dialogue& dialogue);
  // After a failed run(): whether the server closed the connection on a fresh token that it has not
  // judged yet, so that a new connection is worth making.
  bool wants_connection() const { return wants_connection_; }

 private:
  base::Result<Reply> offer(Dialogue& dialogue);
  base::Result<Reply> by_blob(Dialogue& dialogue, const base::Secret& blob);
  base::Result<Reply> by_login(Dialogue& dialogue);
  base::Result<Reply> answer_challenge(Dialogue& dialogue, const Reply& challenge);
  base::Result<bool> renew(const Reply& refusal);
  bool initial_response_fits(const Dialogue& dialogue, std::size_t blob_octets) const;

  const account::Account& account_;
  const Credential& credential_;
  KnownServers* known_;
  base::Secret secret_;
  bool renewed_ = false;
  bool wants_connection_ = false;
};

// The client's message before base64. Control bytes in user or secret: Fault::config.
base::Result<base::Secret> sasl_message(const account::Account& account,
                                        const base::Secret& secret);

}  // namespace transport
