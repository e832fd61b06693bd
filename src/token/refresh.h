// refresh: one token request, made by one process at a time, and what follows from its answer.
// Source: design section 5; facts (reliability) T1-T6, (providers) 1.7. Order after a good answer:
// the rotated refresh token is stored (synced), then the access token cached, then handed out. Room
// for a rotated one is reserved before the request: a full or read-only keyring fails here, with
// nothing asked.
// After a refusal the store is read again: a newer refresh token is tried once. Refusals are
// remembered for the same request and credential: 60 s where a person is needed, else Retry-After
// or 5 s, so that a hundred cron jobs do not hammer the endpoint. Errors: those of grants,
// credential and base/replies; Fault::unavailable from the helper; Fault::cannot_create, os and io
// of this machine.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "account/account.h"
#include "base/file.h"
#include "base/result.h"
#include "net/record.h"
#include "token/cache.h"
#include "token/credential.h"
#include "token/proof.h"

namespace token {

using OpenHelper = std::function<base::Result<base::Fd>()>;

// The digest by which a token that was refused is remembered.
std::string digest_of(const base::Secret& token);

class Refresh {
 public:
  // `account` must outlive this.
  Refresh(const account::Account& account, const std::string& runtime_dir,
          const KeyringPlaces& places);

  // The account's tokens come from access_token_command, and no helper is needed.
  bool by_program() const { return !account_.access_token_command.empty(); }
  // From the cache, with enough life left, and not the one that was refused.
  std::optional<CachedToken> cached(std::string_view refused);
  // A closed Fd where there is no place for a lock: none is known, or it is read-only, forbidden or
  // gone. wait_ms 0: try once. Errors: Fault::unavailable (busy), os, io.
  base::Result<base::Fd> lock(std::int64_t wait_ms);
  // To be called under the lock. A temporary failure yields the cached token while it still lives.
  base::Result<CachedToken> run(const OpenHelper& helper, std::string_view refused);
  // The same for a person who wants to know: cache and remembered refusal are passed over, and
  // `facts` is what the answer says besides (claims=1 of token/oauth_request.h).
  struct Asked {
    CachedToken token{};
    net::Record facts{};
  };
  base::Result<Asked> prove(const OpenHelper& helper);
  // Of the next request: the claims that a server demands of a token (OpenID Connect Core 5.5).
  void ask_for_claims(const std::string& claims) { claims_ = claims; }
  // When a provider last gave something for this account, as far as this machine remembers: wall
  // clock seconds, 0: not known.
  std::int64_t last_s();
  // As run(), but a failure is told although the cached token still lives: for who refreshes ahead
  // of need.
  base::Result<CachedToken> renew(const OpenHelper& helper, std::string_view refused = {});
  std::int64_t timeout_ms() const { return account_.timeout_s * 1000; }

  Credentials& credentials() { return credentials_; }

 private:
  base::Result<CachedToken> run_program(std::string_view refused);
  enum class Manner : bool { usual, proving };
  base::Result<Asked> ask_twice(const OpenHelper& open, Manner manner);
  base::Result<Asked> ask(const OpenHelper& open, base::Fd& helper, const Proof& proof,
                          Manner manner);
  base::Result<base::Fd> reserve(const Proof& proof);
  base::Result<Asked> accept(net::Record answer, const Credential& used, std::int64_t asked_s);
  base::Error refused(const net::Record& answer, const std::string& fingerprint);

  const account::Account& account_;
  Credentials credentials_;
  Cache cache_;
  std::string claims_{};
};

}  // namespace token
