// grants: what each grant asks the token endpoint for. Source: RFC 6749 sections 4.4 and 6; facts
// (providers) 1.3, 1.5. A new grant is a new row of the table. Errors: Fault::config for a grant
// that this version does not have, or an account that lacks what its grant needs.
#pragma once

#include "account/account.h"
#include "base/result.h"
#include "net/record.h"
#include "token/credential.h"

namespace token {

struct GrantRow {
  account::Grant grant;
  const char* word;  // as in the configuration
  bool supported;
  Kind credential;  // what it signs in with
  bool rotates;     // an answer may bring a new credential
};
const GrantRow& grant_row(account::Grant grant);

// Whether the account has what its grant needs, and this version the grant.
base::Done check_grant(const account::Account& account);

// The request for the helper: verb "token"; url, ca_file, proxy, timeout; the fields of the form as
// "form.NAME". `client_secret` may be empty for grants that do not sign in with it.
base::Result<net::Record> token_request(const account::Account& account,
                                        const base::Secret& credential,
                                        const base::Secret& client_secret);

// What makes two requests the same: a digest of all that is sent, credential included.
std::string fingerprint_of(const net::Record& request);

}  // namespace token
