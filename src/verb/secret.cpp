// What is kept for an account: set, told, forgotten.
#include <optional>
#include <utility>

#include "base/text.h"
#include "token/credential.h"
#include "token/keyring.h"
#include "transport/known_servers.h"
#include "verb/agent_secrets.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/place.h"
#include "verb/typed_secret.h"

namespace verb {

namespace {

using account::Account;
using base::Error;
using base::Fault;

base::Result<token::Kind> kind_of(const std::string& word) {
  const std::optional<token::Kind> kind = token::kind_of(word);
  if (kind) return *kind;
  const std::vector<std::string> known = {"refresh-token", "client-secret", "password",
                                          "key-passphrase", "device-password"};
  const std::string near = base::nearest(word, known);
  return base::failure(Fault::usage, "unknown kind of secret `" + base::clean(word, 60) + "`",
                       near.empty()
                           ? "use refresh-token, client-secret, password, key-passphrase or "
                             "device-password"
                           : "did you mean " + near + "?");
}

// Where one secret of one account lies.
struct Slot {
  Account account;
  token::Kind kind;
  std::unique_ptr<token::Keyring> keyring;
};

// The operands name it: ACCOUNT KIND.
base::Result<Slot> slot_of(const Place& place, const Call& call) {
  const base::Result<token::Kind> kind = kind_of(call.operand(1));
  if (!kind) return kind.error();
  const base::Result<std::vector<Account>> accounts = accounts_of(place, call.operand(0));
  if (!accounts) return accounts.error();
  base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(accounts->front(), place.keyrings());
  if (!keyring) return std::move(keyring).error();
  return Slot{accounts->front(), *kind, std::move(*keyring)};
}

// Whoever takes a secret back wants nothing left that speaks for it: TLS sessions go, too.
void forget_sessions(const Place& place) {
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  const std::string folder =
      loaded ? place.runtime_dir(*loaded) : cli::runtime_dir(place.person.uid);
  transport::KnownServers(transport::KnownServers::Where::folder, folder).forget_sessions();
}

// Where an agent keeps them, it is asked.
base::Result<bool> is_held(const Place& place, const Account& account, token::Kind kind,
                           token::Keyring& keyring) {
  if (agent_keeps_secrets(place)) return agent_has(place, account.name, kind);
  base::Result<std::optional<base::Secret>> held = keyring.load(account, kind);
  if (!held) return std::move(held).error();
  return held->has_value();
}

base::Result<std::string> status_of(const Place& place, const Account& account,
                                    token::Keyring& keyring) {
  std::string out = account.name + ": " + keyring.describe() + "\n";
  for (const token::Kind kind :
       {token::Kind::refresh_token, token::Kind::client_secret, token::Kind::password,
        token::Kind::key_passphrase, token::Kind::device_password}) {
    const base::Result<bool> held = is_held(place, account, kind, keyring);
    if (!held) return held.error();
    std::string line = std::string("  ") + token::kind_name(kind);
    line.append(18 - line.size(), ' ');
    out += line + (*held ? "stored" : "none");
    const std::string file = token::file_key(account, kind).path;
    out += (file.empty() ? "" : "; read from " + file) + "\n";
  }
  return out;
}

}  // namespace

int secret_set(const Call& call) {
  const Place place(call.command);
  if (call.input_closed) {
    // Before anything else, so that a script learns of its own mistake first.
    return complain(
        base::failure(Fault::io, "standard input is closed", "give the secret on standard input"));
  }
  const base::Result<Slot> slot = slot_of(place, call);
  if (!slot) return complain(slot.error());
  const base::Result<base::Secret> secret = read_typed_secret(false);
  if (!secret) return complain(secret.error());
  const base::Done stored = agent_keeps_secrets(place)
                                ? give_to_agent(place, slot->account, slot->kind, *secret)
                                : slot->keyring->store(slot->account, slot->kind, *secret);
  return stored.ok() ? 0 : complain(stored.error());
}

int secret_clear(const Call& call) {
  const Place place(call.command);
  const base::Result<Slot> slot = slot_of(place, call);
  if (!slot) return complain(slot.error());
  const base::Result<bool> erased = agent_keeps_secrets(place)
                                        ? agent_forgets(place, slot->account.name, slot->kind)
                                        : slot->keyring->erase(slot->account, slot->kind);
  if (!erased) return complain(erased.error());
  forget_sessions(place);
  if (*erased) return 0;
  return say(call.operand(0) + ": no " + call.operand(1) + " was stored\n");
}

int secret_status(const Call& call) {
  const Place place(call.command);
  const base::Result<std::vector<Account>> accounts = accounts_of(place, call.operand(0));
  if (!accounts) return complain(accounts.error());
  int exit = 0;
  const auto fail = [&exit](const Error& error) {
    const int code = complain(error);
    if (exit == 0) exit = code;
  };
  for (const Account& account : *accounts) {
    if (account.broken) {
      fail(*account.broken);
      continue;
    }
    token::KeyringPlaces places = place.keyrings();
    places.may_prompt = false;  // to look is no reason to ask for a password
    base::Result<std::unique_ptr<token::Keyring>> keyring = token::open_keyring(account, places);
    if (!keyring) {
      fail(keyring.error());
      continue;
    }
    const base::Result<std::string> status = status_of(place, account, **keyring);
    if (!status) {
      fail(status.error());
    } else if (const int code = say(*status); code != 0) {
      return code;
    }
  }
  return exit;
}

}  // namespace verb
