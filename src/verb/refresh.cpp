// Refresh tokens that nobody uses die (Microsoft: after 90 days, Google: after six months): for
// timers, once a week. Facts: providers 1.7.
#include <algorithm>

#include "base/clock.h"
#include "base/process.h"
#include "token/grants.h"
#include "verb/access.h"
#include "verb/call.h"
#include "verb/console.h"

namespace verb {

namespace {

using account::Account;

constexpr std::int64_t idle_s = std::int64_t{7} * 86'400;

// Whether there is a refresh token that could die.
bool can_die(const Account& account) {
  return wants_token(account).ok() && account.access_token_command.empty() &&
         token::grant_row(account).credential == token::Kind::refresh_token;
}

base::Done refresh_one(const Place& place, const Account& account,
                       const token::Source::Places& places, bool idle_only) {
  const base::SignalHold unstored;
  token::Refresh refresh(account, places.runtime_dir, places.keyring);
  const auto recent = [&] { return base::wall_seconds() - refresh.last_s() < idle_s; };
  if (idle_only && recent()) return base::done();
  base::Result<base::Fd> lock = lock_refresh(refresh);
  if (!lock) return std::move(lock).error();
  if (idle_only && recent()) return base::done();  // somebody else was at it
  base::Result<token::CachedToken> got = refresh.renew([&] { return place.helper->open(); });
  if (!got) return std::move(got).error();
  return base::done();
}

int refresh_named(const Place& place, const std::string& name) {
  const base::Result<Access> access = access_of(place, name);
  if (!access) return complain(access.error());
  base::Done done = wants_token(access->account);
  if (done) done = refresh_one(place, access->account, access->places, false);
  return done ? 0 : complain(done.error());
}

}  // namespace

int refresh(const Call& call) {
  const Place place(call.command);
  if (!call.operand(0).empty()) {
    if (call.command.has("--all")) {
      return complain(base::failure(base::Fault::usage, "refresh takes an account or --all",
                                    "usage: mailbearer refresh [ACCOUNT]"));
    }
    return refresh_named(place, call.operand(0));
  }
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  token::Source::Places places = source_places(place, *loaded);
  places.keyring.may_prompt = false;  // a timer's, or as good as one
  int exit = 0;
  for (const Account& account : loaded->accounts) {
    base::Done done = account.broken ? base::Done(*account.broken) : base::done();
    if (done && can_die(account)) done = refresh_one(place, account, places, true);
    const int code = done ? 0 : complain(done.error());
    if (exit == 0) exit = code;
  }
  return exit;
}

}  // namespace verb
