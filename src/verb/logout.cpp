// logout: the provider is told where it can be, then what is stored is erased: the credential, the
// access token, the TLS sessions. What only a person can withdraw is said.
#include <string>
#include <utility>

#include "base/process.h"
#include "token/secret_program.h"
#include "token/sign_in.h"
#include "transport/known_servers.h"
#include "verb/access.h"
#include "verb/call.h"
#include "verb/console.h"

namespace verb {

namespace {

using account::Account;
using token::Kind;

struct Told {
  bool revoked = false;
  bool erased = false;
  std::string trouble{};  // why the provider could not be told
};

// An error of the provider does not keep anything here: a person who wants out gets out.
Told tell_provider(const Access& access) {
  Told told;
  const token::SignInPlaces places{access.places, {access.places.keyring.helper}};
  const base::Result<bool> revoked = token::revoke(access.account, places);
  if (!revoked) {
    told.trouble = revoked.error().cause;
  } else {
    told.revoked = *revoked;
  }
  return told;
}

// The credential itself. The client secret of an application that people sign in with is no
// person's, and the next sign-in needs it.
base::Result<bool> erase_credential(const Access& access) {
  const Account& account = access.account;
  token::Credentials credentials(account, access.places.keyring);
  base::Result<bool> rotated = credentials.forget_rotated();
  const std::optional<Kind> kind = token::signs_in_with(account);
  const bool elsewhere = !account.access_token_command.empty() || !kind ||
                         account.keyring == account::Keyring::command ||
                         !token::file_key(account, *kind).path.empty();
  if (!rotated || elsewhere) return rotated;
  base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(account, access.places.keyring);
  if (!keyring) return std::move(keyring).error();
  base::Result<bool> erased = (*keyring)->erase(account, *kind);
  if (!erased) return erased;
  return *erased || *rotated;
}

// What this program cannot erase.
std::string left_elsewhere(const Account& account) {
  const std::string& name = account.name;
  if (!account.access_token_command.empty()) {
    return name + ": sign out in " + account.access_token_command.front() + ", too\n";
  }
  const std::optional<Kind> kind = token::signs_in_with(account);
  if (kind && !token::file_key(account, *kind).path.empty()) {
    return name + ": remove " + token::file_key(account, *kind).path + " as well\n";
  }
  if (account.keyring == account::Keyring::command) {
    return name + ": remove the secret from " + account.secret_command.front() + " as well\n";
  }
  return {};
}

std::string where_consent_ends(const Account& account) {
  if (account.consent_page.empty() || account.grant != account::Grant::user) return {};
  return account.name + ": the application's permission is withdrawn at " + account.consent_page +
         "\n";
}

std::string summary(const Account& account, const Told& told) {
  std::string out = account.name + ": ";
  out += told.erased ? "signed out, the stored credential is erased" : "nothing was stored";
  if (told.revoked) out += "; the provider has revoked it";
  out += "\n";
  if (!told.trouble.empty()) {
    out += account.name + ": the provider could not be told (" + told.trouble + ")\n";
  } else if (told.erased && !told.revoked && account.grant == account::Grant::user) {
    out += account.name + ": the provider revokes nothing by itself: what was copied stays good\n";
  }
  return out + left_elsewhere(account) + where_consent_ends(account);
}

}  // namespace

int logout(const Call& call) {
  const Place place(call.command);
  const base::Result<Access> access = access_of(place, call.operand(0));
  if (!access) return complain(access.error());
  const base::SignalHold whole;
  token::Refresh refresh(access->account, access->places.runtime_dir, access->places.keyring);
  // Nobody must store a rotated token behind our back.
  const base::Result<base::Fd> lock = lock_refresh(refresh);
  if (!lock) return complain(lock.error());
  Told told = tell_provider(*access);
  const base::Result<bool> erased = erase_credential(*access);
  token::forget(access->account, access->places);
  transport::KnownServers(transport::KnownServers::Where::folder, access->places.runtime_dir)
      .forget_sessions();
  if (!erased) return complain(erased.error());
  told.erased = *erased;
  return say(summary(access->account, told));
}

}  // namespace verb
