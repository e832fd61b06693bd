#include "token/obtain.h"

#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "token/refresh.h"

namespace token {

namespace {

// Beyond the request's own time: the one who holds the lock may have to ask twice.
constexpr std::int64_t lock_slack_ms = 15'000;

// RFC 4954 section 4: a server need not take a longer answer, in base64.
constexpr std::size_t sasl_limit_bytes = std::size_t{12'288} / 4 * 3;
// "user=", "auth=Bearer ", "host=", "port=" and separators of both mechanisms.
constexpr std::size_t sasl_frame_bytes = 64;

base::Done fits(const account::Account& account, const base::Secret& token) {
  if (account.transport != account::Transport::smtp) return base::done();
  const std::size_t others = account.auth_user.size() + account.smtp_host.size() + sasl_frame_bytes;
  if (token.size() + others <= sasl_limit_bytes) return base::done();
  base::Error error = base::failure(
      base::Fault::config,
      "access token is too long for SMTP (" + std::to_string(token.size()) + " octets)",
      "let the app ask for fewer claims and groups, or set transport = graph");
  error.account = account.name;
  return error;
}

// A keyring of kind secret-service is asked by a helper, too.
KeyringPlaces with_helper(KeyringPlaces places, const HelperDoor& door) {
  if (!places.helper) places.helper = door.open;
  return places;
}

}  // namespace

struct Source::State {
  State(const account::Account& from, const Places& places, HelperDoor door)
      : account(from),
        helper(std::move(door)),
        refresh(account, places.runtime_dir, with_helper(places.keyring, helper)) {}

  void start();
  base::Result<CachedToken> obtain();
  // Ends the request that start() began, if any.
  void settle() {
    if (worker.joinable()) worker.join();
  }

  const account::Account account;
  HelperDoor helper;
  Refresh refresh;
  std::thread worker;
  std::optional<base::Result<CachedToken>> begun;  // the worker's; read after settle() only
  std::optional<CachedToken> current;              // what was handed out last
  std::optional<CachedToken> found;                // by start(), for the first get()
  std::string refused;                             // digest of what a server refused
};

void Source::State::start() {
  if (worker.joinable() || begun || current || found) return;
  found = refresh.cached({});
  if (found) return;
  base::Result<base::Fd> locked = refresh.lock(0);
  if (!locked) return;  // somebody is at it: get() waits for that one, or tells what is wrong
  found = refresh.cached({});
  if (found) return;
  // The helper is started here and not by the worker: the door belongs to this thread.
  base::Result<base::Fd> socket = refresh.by_program() ? base::Fd() : helper.open();
  if (!socket) return;  // get() will meet the same error and tell it
  // `begun` is written by the worker alone until settle() has joined it.
  const auto work = [this](base::Fd lock, base::Fd opened) {
    begun.emplace(
        refresh.run([&opened]() -> base::Result<base::Fd> { return std::move(opened); }, {}));
    lock.reset();
  };
  try {
    worker = std::thread(work, std::move(*locked), std::move(*socket));
  } catch (const std::system_error&) {
    begun.reset();  // no thread to be had: get() asks without one
  }
}

base::Result<CachedToken> Source::State::obtain() {
  if (begun) {
    base::Result<CachedToken> first = std::move(*begun);
    begun.reset();
    if (refused.empty()) return first;
  }
  if (current && refused.empty() &&
      current->usable(base::wall_seconds(), account.refresh_margin_s)) {
    return std::move(*current);
  }
  if (found) {
    CachedToken first = std::move(*found);
    found.reset();
    const bool was_refused = !refused.empty() && digest_of(first.token) == refused;
    if (!was_refused && first.usable(base::wall_seconds(), account.refresh_margin_s)) return first;
  }
  if (std::optional<CachedToken> cached = refresh.cached(refused)) return std::move(*cached);
  base::Result<base::Fd> locked = refresh.lock(refresh.timeout_ms() + lock_slack_ms);
  if (!locked) return std::move(locked).error();
  // Who waited for the lock finds what its holder got.
  if (std::optional<CachedToken> cached = refresh.cached(refused)) return std::move(*cached);
  return refresh.run(helper.open, refused);
}

Source::Source(const account::Account& account, const Places& places, HelperDoor helper)
    : state_(std::make_unique<State>(account, places, std::move(helper))) {}

Source::~Source() {
  // A request that is under way may bring a rotated refresh token, which must be stored.
  state_->settle();
}

void Source::start() {
  state_->start();
}

base::Result<base::Secret> Source::get(Want want, const std::string& claims) {
  state_->settle();
  state_->refresh.ask_for_claims(claims);
  if (want == Want::fresh && state_->current) state_->refused = digest_of(state_->current->token);
  base::Result<CachedToken> got = state_->obtain();
  if (!got) return std::move(got).error();
  base::Done fitting = fits(state_->account, got->token);
  if (!fitting) return std::move(fitting).error();
  base::Secret token = got->token.clone();
  state_->current.emplace(std::move(*got));
  state_->refused.clear();
  return token;
}

base::Result<base::Secret> Source::password() {
  base::Result<Credential> stored = state_->refresh.credentials().load(Kind::password);
  if (!stored) return std::move(stored).error();
  return std::move(stored->secret);
}

}  // namespace token
