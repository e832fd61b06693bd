#include "token/refresh.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"
#include "token/grants.h"
#include "token/refusal.h"
#include "token/secret_program.h"

namespace token {

namespace {

// For the start of the helper, beyond the time that the request itself may take.
constexpr std::int64_t helper_slack_ms = 5000;
// MSAL's two rules (facts 1.7).
constexpr std::int64_t person_needed_s = 60;
constexpr std::int64_t busy_s = 5;

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

// Nothing to be done about it, and where it is so, the other processes have no lock either.
bool no_place_for_a_lock(int sys) {
  return sys == EROFS || sys == EACCES || sys == ENOENT;
}

bool lack_of_the_system(int sys) {
  return sys == EMFILE || sys == ENFILE || sys == ENOMEM;
}

}  // namespace

std::string digest_of(const base::Secret& token) {
  return base::sha256_hex(token.reveal());
}

Refresh::Refresh(const account::Account& account, const std::string& runtime_dir,
                 const KeyringPlaces& places)
    : account_(account), credentials_(account_, places), cache_(account_, runtime_dir, places) {}

std::optional<CachedToken> Refresh::cached(std::string_view refused) {
  std::optional<CachedToken> token = cache_.load(stamp_of(account_, credentials_));
  if (!token || !token->usable(base::wall_seconds(), account_.refresh_margin_s))
    return std::nullopt;
  if (!refused.empty() && digest_of(token->token) == refused) return std::nullopt;
  return token;
}

base::Result<base::Fd> Refresh::lock(std::int64_t wait_ms) {
  if (cache_.lock_path().empty()) return base::Fd();
  base::Result<base::Fd> locked = base::lock_file(cache_.lock_path(), wait_ms);
  if (locked) return locked;
  if (no_place_for_a_lock(locked.error().sys)) return base::Fd();
  if (locked.error().fault != base::Fault::unavailable) {
    base::Error error = std::move(locked).error();
    error.fault = lack_of_the_system(error.sys) ? base::Fault::os : base::Fault::io;
    return of_account(std::move(error), account_);
  }
  return of_account(
      base::failure(base::Fault::unavailable,
                    "another process is still refreshing the access token", "try again"),
      account_);
}

base::Result<CachedToken> Refresh::renew(const OpenHelper& helper, std::string_view refused) {
  if (by_program()) return run_program(refused);
  base::Result<Asked> got = ask_twice(helper, Manner::usual);
  if (!got) return std::move(got).error();
  return std::move(got->token);
}

base::Result<CachedToken> Refresh::run(const OpenHelper& helper, std::string_view refused) {
  base::Result<CachedToken> got = renew(helper, refused);
  if (got || got.error().kind != base::FaultClass::temporary) return got;
  std::optional<CachedToken> old = cache_.load(stamp_of(account_, credentials_));
  const bool still_good = old && old->valid(base::wall_seconds()) &&
                          (refused.empty() || digest_of(old->token) != refused);
  if (still_good) return std::move(*old);
  return std::move(got).error();
}

std::int64_t Refresh::last_s() {
  const std::optional<CachedToken> cached = cache_.load(stamp_of(account_, credentials_));
  const std::int64_t issued = cached ? cached->issued_s : 0;
  const GrantRow& row = grant_row(account_);
  return row.credential ? std::max(issued, credentials_.changed_s(*row.credential)) : issued;
}

// One whose end is not told is good for this one use: only the program knows whether it still is.
base::Result<CachedToken> Refresh::run_program(std::string_view refused) {
  const std::int64_t asked_s = base::wall_seconds();
  base::Result<CommandToken> printed = run_access_token_command(account_);
  if (!printed) return std::move(printed).error();
  CachedToken token;
  token.token = std::move(printed->token);
  token.issued_s = asked_s;
  token.expires_s = printed->expires_s;
  if (!refused.empty() && digest_of(token.token) == refused) {
    return of_account(base::failure(base::Fault::sign_in_needed,
                                    "access_token_command still prints the token that was refused",
                                    "sign in anew with that program"),
                      account_);
  }
  if (token.expires_s > asked_s) cache_.store(token, stamp_of(account_, credentials_));
  return token;
}

base::Result<Refresh::Asked> Refresh::prove(const OpenHelper& helper) {
  return ask_twice(helper, Manner::proving);
}

base::Result<Refresh::Asked> Refresh::ask_twice(const OpenHelper& open, Manner manner) {
  base::Done checked = check_grant(account_);
  if (!checked) return std::move(checked).error();
  const GrantRow& row = grant_row(account_);
  base::Result<Proof> proof = row.load(account_, credentials_);
  if (!proof) return std::move(proof).error();
  base::Fd helper;
  base::Result<Asked> got = ask(open, helper, *proof, manner);
  if (got || !row.rotates || got.error().fault != base::Fault::sign_in_needed) return got;
  // Refused: perhaps somebody signed in or refreshed meanwhile, without our lock.
  base::Result<Proof> newer = row.load(account_, credentials_);
  if (!newer || newer->main.secret.reveal() == proof->main.secret.reveal()) return got;
  return ask(open, helper, *newer, manner);
}

// Under strict rotation the answer's refresh token is the only one left: without a place for it
// nothing is asked.
base::Result<base::Fd> Refresh::reserve(const Proof& proof) {
  const GrantRow& row = grant_row(account_);
  if (!row.rotates || !row.credential) return base::Fd();
  base::Result<base::Fd> room = credentials_.reserve(*row.credential, proof.main);
  if (!room) return of_account(std::move(room).error(), account_);
  return room;
}

base::Result<Refresh::Asked> Refresh::ask(const OpenHelper& open, base::Fd& helper,
                                          const Proof& proof, Manner manner) {
  base::Result<net::Record> request = token_request(account_, proof);
  if (!request) return std::move(request).error();
  if (!claims_.empty()) request->put("form.claims", claims_);
  const std::string fingerprint = fingerprint_of(*request);
  if (manner == Manner::proving) {
    request->put("claims", "1");
  } else if (std::optional<base::Error> known = cache_.refusal(fingerprint)) {
    return std::move(*known);
  }
  base::Result<base::Fd> room = reserve(proof);
  if (!room) return std::move(room).error();
  if (!helper.open()) {
    base::Result<base::Fd> opened = open();
    if (!opened) return of_account(std::move(opened).error(), account_);
    helper = std::move(*opened);
  }
  const base::Deadline deadline = base::Deadline::after_ms(timeout_ms() + helper_slack_ms);
  const std::int64_t asked_s = base::wall_seconds();
  base::Done sent = net::send_record(helper.get(), *request, deadline);
  if (!sent) return of_account(std::move(sent).error(), account_);
  base::Result<net::Record> answer = net::receive_record(helper.get(), deadline);
  if (!answer) return of_account(std::move(answer).error(), account_);
  if (net::has_error(*answer)) return of_account(net::get_error(*answer), account_);
  if (!is_token(*answer)) return refused(*answer, fingerprint);
  room->reset();  // now for the refresh token itself
  return accept(std::move(*answer), proof.main, asked_s);
}

base::Error Refresh::refused(const net::Record& answer, const std::string& fingerprint) {
  base::Error error = refusal_of(answer, account_);
  const bool for_a_person = error.kind == base::FaultClass::hold;
  const std::int64_t busy = error.retry_after_s > 0 ? error.retry_after_s : busy_s;
  cache_.remember(error, fingerprint, for_a_person ? person_needed_s : busy);
  return error;
}

base::Result<Refresh::Asked> Refresh::accept(net::Record answer, const Credential& used,
                                             std::int64_t asked_s) {
  const GrantRow& row = grant_row(account_);
  const base::Secret rotated = answer.take("refresh_token");
  if (row.rotates && !rotated.empty() && rotated.reveal() != used.secret.reveal()) {
    const base::Result<bool> stored = credentials_.replace(*row.credential, used, rotated);
    // One that came from a file is kept as well as can be: the file still holds its own. One that
    // stands although it could not be synced does not cost the access token that came with it.
    if (!stored && used.file_digest.empty() && !credentials_.stands(*row.credential, rotated)) {
      return of_account(stored.error(), account_);
    }
  }
  CachedToken token;
  token.token = answer.take("access_token");
  token.issued_s = asked_s;
  token.expires_s = asked_s + answer.number("expires_in", 0);
  // A life that was not said is good for this one use.
  if (token.expires_s > asked_s) cache_.store(token, stamp_of(account_, credentials_));
  return Asked{std::move(token), std::move(answer)};
}

}  // namespace token
