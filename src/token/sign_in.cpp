#include "token/sign_in.h"

#include <optional>
#include <utility>

#include "base/clock.h"
#include "token/cache.h"
#include "token/credential.h"
#include "token/grants.h"
#include "token/identity.h"
#include "token/refresh.h"
#include "token/refusal.h"
#include "token/sign_in_request.h"

namespace token {

namespace {

constexpr std::int64_t lock_slack_ms = 15'000;

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

}  // namespace

base::Done put_client_secret(net::Record& request, const account::Account& account,
                             Credentials& credentials) {
  base::Result<std::optional<Credential>> secret = credentials.load_if_any(Kind::client_secret);
  if (!secret) return of_account(std::move(secret).error(), account);
  if (secret->has_value()) request.put("form.client_secret", std::move((*secret)->secret));
  return base::done();
}

base::Done ready_to_keep(const account::Account& account, const SignInPlaces& places) {
  if (!account.refresh_token_file.empty()) {
    return of_account(base::failure(base::Fault::config,
                                    "refresh_token_file is set, so a new sign-in would not be used",
                                    "remove refresh_token_file, or put a new token into that file"),
                      account);
  }
  Credentials credentials(account, places.places.keyring);
  base::Result<base::Fd> room = credentials.reserve(Kind::refresh_token, Credential{});
  if (!room) return of_account(std::move(room).error(), account);
  return base::done();
}

base::Result<net::Record> ask_helper(const account::Account& account, const SignInPlaces& places,
                                     const net::Record& request) {
  base::Result<base::Fd> socket = places.helper.open();
  if (!socket) return of_account(std::move(socket).error(), account);
  const base::Deadline deadline = base::Deadline::after_ms(account.timeout_s * 1000 + 5000);
  base::Done sent = net::send_record(socket->get(), request, deadline);
  if (!sent) return of_account(std::move(sent).error(), account);
  base::Result<net::Record> answer = net::receive_record(socket->get(), deadline);
  if (!answer) return of_account(std::move(answer).error(), account);
  if (net::has_error(*answer)) return of_account(net::get_error(*answer), account);
  return answer;
}

base::Result<SignedIn> signed_in_by(net::Record answer, const account::Account& account,
                                    std::string_view nonce, std::int64_t asked_s) {
  if (!is_token(answer)) return refusal_of(answer, account);
  SignedIn signed_in;
  base::Done ours = read_identity(answer, account, {nonce, base::wall_seconds()}, signed_in);
  if (!ours) return std::move(ours).error();
  read_rights(answer, signed_in);
  signed_in.refresh_token = answer.take("refresh_token");
  signed_in.access_token = answer.take("access_token");
  signed_in.asked_s = asked_s;
  signed_in.expires_s = asked_s + answer.number("expires_in", 0);
  return signed_in;
}

base::Result<SignedIn> redeem(const account::Account& account, const SignInPlaces& places,
                              const CodeToRedeem& code) {
  base::Done checked = check_grant(account);
  if (!checked) return std::move(checked).error();
  base::Done ready = ready_to_keep(account, places);
  if (!ready) return std::move(ready).error();
  net::Record request = request_to(account, account.token_endpoint);
  request.put("claims", "1");
  request.put("form.grant_type", "authorization_code");
  request.put("form.client_id", account.client_id);
  request.put("form.code", code.code.reveal());
  request.put("form.code_verifier", code.verifier.reveal());
  request.put("form.redirect_uri", code.redirect_uri);
  if (!account.resource.empty()) request.put("form.resource", account.resource);
  Credentials credentials(account, places.places.keyring);
  base::Done secret = put_client_secret(request, account, credentials);
  if (!secret) return std::move(secret).error();
  const std::int64_t asked_s = base::wall_seconds();
  base::Result<net::Record> answer = ask_helper(account, places, request);
  if (!answer) return std::move(answer).error();
  return signed_in_by(std::move(*answer), account, code.nonce, asked_s);
}

base::Result<SignedIn> sign_in_unattended(const account::Account& account,
                                          const SignInPlaces& places) {
  Refresh refresh(account, places.places.runtime_dir, places.places.keyring);
  base::Result<base::Fd> locked = refresh.lock(refresh.timeout_ms() + lock_slack_ms);
  if (!locked) return std::move(locked).error();
  base::Result<Refresh::Asked> asked = refresh.prove(places.helper.open);
  if (!asked) return std::move(asked).error();
  SignedIn signed_in;
  read_rights(asked->facts, signed_in);
  signed_in.access_token = std::move(asked->token.token);
  signed_in.asked_s = asked->token.issued_s;
  signed_in.expires_s = asked->token.expires_s;
  return signed_in;
}

base::Done keep(const account::Account& account, const SignInPlaces& places,
                const SignedIn& signed_in) {
  if (signed_in.refresh_token.empty()) {
    return of_account(
        base::failure(base::Fault::config, "the provider gave no refresh token with the sign-in",
                      "add offline_access to scope (Google: access_type=offline and "
                      "prompt=consent in authorization_endpoint)"),
        account);
  }
  base::Result<std::unique_ptr<Keyring>> keyring = open_keyring(account, places.places.keyring);
  if (!keyring) return of_account(std::move(keyring).error(), account);
  base::Done stored = (*keyring)->store(account, Kind::refresh_token, signed_in.refresh_token);
  if (!stored) return of_account(std::move(stored).error(), account);
  if (signed_in.expires_s > signed_in.asked_s && !signed_in.access_token.empty()) {
    CachedToken token;
    token.token = signed_in.access_token.clone();
    token.issued_s = signed_in.asked_s;
    token.expires_s = signed_in.expires_s;
    Credentials credentials(account, places.places.keyring);
    Cache(account, places.places.runtime_dir, places.places.keyring)
        .store(token, stamp_of(account, credentials));
  }
  return base::done();
}

base::Result<bool> revoke(const account::Account& account, const SignInPlaces& places) {
  if (account.revocation_endpoint.empty() || account.grant != account::Grant::user) return false;
  Credentials credentials(account, places.places.keyring);
  base::Result<std::optional<Credential>> held = credentials.load_if_any(Kind::refresh_token);
  if (!held) return of_account(std::move(held).error(), account);
  if (!held->has_value()) return false;
  net::Record request = request_to(account, account.revocation_endpoint);
  request.put("form.token", std::move((*held)->secret));
  request.put("form.token_type_hint", "refresh_token");
  request.put("form.client_id", account.client_id);
  base::Done secret = put_client_secret(request, account, credentials);
  if (!secret) return std::move(secret).error();
  base::Result<net::Record> answer = ask_helper(account, places, request);
  if (!answer) return std::move(answer).error();
  // RFC 7009 2.2: whatever 200 says with it. Google says invalid_token to one that is dead already.
  if (answer->number("status", 0) == 200 || answer->get("error") == "invalid_token") return true;
  return refusal_of(*answer, account);
}

void forget(const account::Account& account, const Source::Places& places) {
  Cache(account, places.runtime_dir, places.keyring).forget();
  Cache(account, {}, places.keyring).forget();
}

}  // namespace token
