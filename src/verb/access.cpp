#include "verb/access.h"

#include <utility>

namespace verb {

namespace {
// Whoever holds it may wait for a slow sign-in service.
constexpr std::int64_t lock_wait_ms = 60'000;
}  // namespace

token::Source::Places source_places(const Place& place,
                                    const account::Configuration& configuration) {
  return {place.runtime_dir(configuration), place.keyrings()};
}

base::Result<Access> access_of(const Place& place, const std::string& name) {
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return loaded.error();
  base::Result<const account::Account*> found = account::find_account(*loaded, name);
  if (!found) return std::move(found).error();
  if ((*found)->broken) return *(*found)->broken;
  return Access{**found, source_places(place, *loaded)};
}

base::Done wants_token(const account::Account& account) {
  if (account.transport == account::Transport::graph || account.auth == account::Auth::xoauth2 ||
      account.auth == account::Auth::oauthbearer) {
    return base::done();
  }
  base::Error error =
      base::failure(base::Fault::config, "this account signs in without access tokens (auth)",
                    "see: mailbearer config show");
  error.account = account.name;
  return error;
}

base::Result<base::Fd> lock_refresh(token::Refresh& refresh) {
  return refresh.lock(lock_wait_ms);
}

}  // namespace verb
