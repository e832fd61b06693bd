// Where each credential lies, and against whom that protects.
#include <string>
#include <utility>
#include <vector>

#include "account/expiry.h"
#include "doctor/exposure.h"
#include "token/credential.h"
#include "token/secret_program.h"
#include "token/store_key.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/endings.h"
#include "verb/keyring_shown.h"
#include "verb/place.h"

namespace verb {

namespace {

using account::Account;
using token::Kind;

// What an account signs in with, and what else is stored for it.
ShownCredential one_credential(const Account& account, Kind kind, token::Keyring& keyring,
                               bool key_from_systemd) {
  ShownCredential out;
  out.kind = token::kind_name(kind);
  out.exposure = doctor::exposure_of(account, kind, keyring.describe(), key_from_systemd);
  const token::FileKey file = token::file_key(account, kind);
  if (!file.path.empty()) {
    out.state = "file";
    return out;
  }
  const base::Result<std::optional<base::Secret>> held = keyring.load(account, kind);
  if (!held) {
    out.state = "unknown";
    out.error = held.error();
  } else {
    out.state = held->has_value() ? "stored" : "none";
  }
  return out;
}

// What an account signs in with that never lies in a keyring.
void add_files(const Account& account, std::vector<ShownCredential>& out) {
  const bool own_key = !account.app_key.empty();
  for (const auto& [kind, path] :
       {std::pair<const char*, std::string>{"app_key", account.app_key},
        {"app_certificate", own_key ? std::string() : account.app_certificate},
        {"federated_token_file", account.federated_token_file}}) {
    if (path.empty()) continue;
    ShownCredential shown;
    shown.kind = kind;
    shown.state = "file";
    shown.exposure = doctor::exposure_of_file(path);
    out.push_back(std::move(shown));
  }
}

ShownKeyring one_account(const Account& account, const Place& place, bool key_from_systemd) {
  ShownKeyring out;
  out.account = account.name;
  out.endings = endings_of(account);
  if (account.broken) {
    out.error = *account.broken;
    return out;
  }
  if (!account.access_token_command.empty()) {
    out.note = "access tokens come from " + account.access_token_command.front() +
               "; nothing is kept here";
    return out;
  }
  token::KeyringPlaces places = place.keyrings();
  places.may_prompt = false;  // to look is no reason to ask for a password
  base::Result<std::unique_ptr<token::Keyring>> keyring = token::open_keyring(account, places);
  if (!keyring) {
    out.error = keyring.error();
    return out;
  }
  add_files(account, out.credentials);
  const std::optional<Kind> main_kind = token::signs_in_with(account);
  // A key may be without a passphrase.
  const auto expected = [&main_kind](Kind kind) {
    return main_kind.has_value() && *main_kind == kind && kind != Kind::key_passphrase;
  };
  for (const Kind kind :
       {Kind::refresh_token, Kind::client_secret, Kind::password, Kind::key_passphrase}) {
    ShownCredential shown = one_credential(account, kind, **keyring, key_from_systemd);
    if (!expected(kind) && (shown.state == "none" || shown.state == "unknown")) continue;
    out.credentials.push_back(std::move(shown));
  }
  return out;
}

}  // namespace

int keyring_status(const Call& call) {
  const Place place(call.command);
  base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  if (!call.operand(0).empty()) {
    const base::Result<const Account*> found = account::find_account(*loaded, call.operand(0));
    if (!found) return complain(found.error());
    loaded->accounts = std::vector<Account>{**found};
  }
  const base::Result<std::optional<base::Secret>> systemd =
      token::load_key({place.environment.credentials_directory, {}});
  const bool key_from_systemd = systemd && systemd->has_value();
  std::vector<ShownKeyring> shown;
  for (const Account& account : loaded->accounts) {
    shown.push_back(one_account(account, place, key_from_systemd));
  }
  if (const int code = say(call.command.json ? shown_json(shown) : shown_text(shown)); code != 0) {
    return code;
  }
  int exit = 0;
  const auto tell = [&exit](const base::Error& error) {
    const int code = complain(error);
    if (exit == 0) exit = code;
  };
  for (const ShownKeyring& one : shown) {
    if (one.error) tell(*one.error);
    for (const ShownCredential& credential : one.credentials) {
      if (credential.error) tell(*credential.error);
    }
  }
  return exit;
}

}  // namespace verb
