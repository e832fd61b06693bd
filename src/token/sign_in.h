// sign_in: the end of every sign-in: a code, or an account's own credential, is exchanged for
// tokens; who signed in and what the tokens may do is read; the refresh token is stored. Used by
// browser and device; the caller (room verb) asks and shows, and calls keep().
//
//   redeem / Device::poll ─► SignedIn ─► compare .user with account.user, ask ─► keep()
//
// Source: OpenID Connect Core 3.1.3.7 (its point 6: an ID token that came straight from the token
// endpoint over verified TLS needs no signature checked); RFC 6749 4.1.3, 5.1; RFC 7009.
// Errors: those of base/replies for a refusal; Fault::protocol for an ID token of another sign-in
// (aud, nonce); Fault::config; Fault::unavailable; those of the keyring. Every error names the
// account. Times are wall clock seconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "account/account.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/record.h"
#include "token/obtain.h"

namespace token {

// Where a sign-in happens. `helper` starts mailbearer-helper; a keyring that needs it has its own.
struct SignInPlaces {
  Source::Places places{};
  HelperDoor helper{};
};

struct SignedIn {
  base::Secret refresh_token{};  // empty: none came (app-only; or offline_access is missing)
  base::Secret access_token{};
  std::int64_t asked_s = 0;
  std::int64_t expires_s = 0;  // of the access token; asked_s: not said

  // From the ID token; empty where there is none, or it is not believed.
  std::string user{};  // preferred_username, else email, else upn
  std::string name{};
  std::string tenant_id{};
  std::string object_id{};
  std::string subject{};
  // Why an ID token that came is not believed: "it names another issuer (...)". The sign-in itself
  // is sound.
  std::string doubt{};

  // What the tokens may do. `scopes`: as granted by the answer, else empty. The rest is read from
  // the access token where that is a JWT: to be told to a person, never to decide by.
  std::vector<std::string> scopes{};
  std::string audience{};
  std::vector<std::string> token_scopes{};  // scp
  std::vector<std::string> roles{};         // of an app
  std::string app_name{};
};

// A code becomes tokens. Asked once, for a code can be used once: whoever is called must not be
// interrupted between this and keep() (base::SignalHold). The keyring's room is tried first.
struct CodeToRedeem {
  base::Secret code{};
  base::Secret verifier{};
  std::string redirect_uri{};
  std::string nonce{};
};
base::Result<SignedIn> redeem(const account::Account& account, const SignInPlaces& places,
                              const CodeToRedeem& code);

// For the grants without a person (app, certificate, federated, managed identity, service account)
// and for a test of a refresh token that is stored: one request, past cache and remembered refusal.
// What rotates has been stored and the access token cached when this returns: no keep().
base::Result<SignedIn> sign_in_unattended(const account::Account& account,
                                          const SignInPlaces& places);

// Stores the refresh token (synced), then caches the access token, so that the next message asks
// for nothing. `account` must be as it will be written to the configuration: a credential is bound
// to name, user, client_id, tenant and token_endpoint (account::binding). Grant user without a
// refresh token: Fault::config with the cure (offline_access; Google: access_type=offline).
base::Done keep(const account::Account& account, const SignInPlaces& places,
                const SignedIn& signed_in);

// For logout. Whether the provider was told; false: it has no revocation endpoint, or nothing is
// stored. Erasing what is stored is another step: keyring erase(), and forget().
base::Result<bool> revoke(const account::Account& account, const SignInPlaces& places);
// The cached access token and the remembered refusal, wherever they lie.
void forget(const account::Account& account, const Source::Places& places);

// One sentence on what whoever holds the stored credential could do, from scopes and roles; for a
// person: "read, send and delete all mail of the mailbox". Empty: not known.
std::string power_of(const account::Account& account, const SignedIn& signed_in);

}  // namespace token
