// grants: what each grant asks the token endpoint for. Source: RFC 6749 sections 4.4 and 6; RFC
// 7523 2.1, 2.2; facts (providers) 1.3, 1.5, 1.6, 4.1. A new grant is a new row of the table.
// Errors: Fault::config for an account that lacks what its grant needs.
#pragma once

#include <optional>
#include <string>

#include "account/account.h"
#include "base/result.h"
#include "net/record.h"
#include "token/credential.h"
#include "token/proof.h"

namespace token {

struct GrantRow {
  const char* word;  // as in the configuration
  const char* verb;  // of the helper
  bool (*fits)(const account::Account& account);
  std::optional<Kind> credential;  // where it lies in the keyring, or in the kind's own file
  bool rotates;                    // an answer may bring a new credential
  base::Done (*check)(const account::Account& account);
  base::Result<Proof> (*load)(const account::Account& account, Credentials& credentials);
  void (*fill)(net::Record& request, const account::Account& account, const Proof& proof);
};
const GrantRow& grant_row(const account::Account& account);

// Whether the account has what its grant needs.
base::Done check_grant(const account::Account& account);

// The request for the helper: its verb, url, ca_file, proxy, timeout; the fields of the form as
// "form.NAME", what is to be signed as "sign.NAME" (token/assertion.h).
base::Result<net::Record> token_request(const account::Account& account, const Proof& proof);
// A form for an endpoint of the account: `verb` is the helper's that posts it.
net::Record request_to(const account::Account& account, const std::string& url,
                       const char* verb = "token");

// What makes two requests the same: a digest of all that is sent or signed with.
std::string fingerprint_of(const net::Record& request);

// Changes when what the account signs in with changes; see Keyring::stamp.
std::string stamp_of(const account::Account& account, Credentials& credentials);

}  // namespace token
