// keyring migrate: from one keyring to another. At every moment a complete copy lies where the
// configuration says: copied, read back, the configuration switched, then the old one erased. Ended
// anywhere, the same command ends what is left. Nobody refreshes meanwhile: the lock is held.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "account/edit.h"
#include "base/text.h"
#include "token/credential.h"
#include "verb/access.h"
#include "verb/call.h"
#include "verb/console.h"

namespace verb {

namespace {

using account::Account;
using base::Fault;
using token::Kind;
using Where = account::Keyring;

constexpr std::array all_kinds = {Kind::refresh_token, Kind::client_secret, Kind::password,
                                  Kind::key_passphrase, Kind::device_password};

struct WhereWord {
  Where where;
  const char* word;
};
constexpr std::array where_words = {
    WhereWord{Where::secret_service, "secret-service"},
    WhereWord{Where::file, "file"},
    WhereWord{Where::command, "command"},
};

base::Result<Where> where_of(const std::string& word) {
  for (const WhereWord& row : where_words) {
    if (word == row.word) return row.where;
  }
  return base::failure(Fault::usage, "unknown keyring `" + base::clean(word, 40) + "`",
                       "use secret-service, file or command");
}

const char* word_of(Where where) {
  for (const WhereWord& row : where_words) {
    if (where == row.where) return row.word;
  }
  return "file";
}

Where in_force(const Account& account) {
  return account.keyring == Where::unset ? Where::file : account.keyring;
}

Account with(Account account, Where where) {
  account.keyring = where;
  return account;
}

base::Error of_account(base::Error error, const Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

struct Move {
  Where from;
  Where to;
  const Place& place;
  token::Source::Places places;
};

// True: it lies in `to` now, as it lay in `from`.
base::Result<bool> copy(const Move& move, const Account& account, Kind kind) {
  if (!token::file_key(account, kind).path.empty()) return false;  // read from its own file
  const Account source = with(account, move.from);
  token::Credentials from(source, move.places.keyring);
  const base::Result<std::optional<token::Credential>> found = from.load_if_any(kind);
  if (!found) return found.error();
  if (!found->has_value()) return false;
  const Account target = with(account, move.to);
  base::Result<std::unique_ptr<token::Keyring>> to =
      token::open_keyring(target, move.places.keyring);
  if (!to) return std::move(to).error();
  if (in_force(account) == move.to) {
    // An earlier run got this far: what has been in force since then is newer.
    base::Result<std::optional<base::Secret>> there = (*to)->load(target, kind);
    if (!there) return std::move(there).error();
    if (there->has_value()) return true;
  }
  base::Done stored = (*to)->store(target, kind, (*found)->secret);
  if (!stored) return std::move(stored).error();
  const base::Result<std::optional<base::Secret>> back = (*to)->load(target, kind);
  if (!back) return back.error();
  if (!back->has_value() || (*back)->reveal() != (*found)->secret.reveal()) {
    return base::failure(Fault::unavailable,
                         "what was stored in " + (*to)->describe() + " does not read back",
                         "nothing was changed; try again");
  }
  return true;
}

base::Done switch_over(const Move& move, const Account& account) {
  if (in_force(account) == move.to) return base::done();
  const std::string file = account.where.substr(0, account.where.rfind(':'));
  base::Result<bool> written =
      account::edit_file(file, {{"account " + account.name, {{"keyring", word_of(move.to)}}}},
                         move.place.paths.profile);
  if (written) return base::done();
  base::Error error = std::move(written).error();
  error.cause = "copied, but the configuration cannot be changed: " + error.cause;
  error.cure = std::string("set keyring = ") + word_of(move.to) + " in [account " + account.name +
               "] of " + file + ", then run this again";
  return error;
}

base::Done erase(const Move& move, const Account& account, const std::vector<Kind>& kinds) {
  const Account source = with(account, move.from);
  if (move.from == Where::command) {
    // What the program keeps is the program's business; what was rotated lies here.
    const base::Result<bool> forgotten =
        token::Credentials(source, move.places.keyring).forget_rotated();
    return forgotten ? base::done() : base::Done(forgotten.error());
  }
  base::Result<std::unique_ptr<token::Keyring>> from =
      token::open_keyring(source, move.places.keyring);
  if (!from) return std::move(from).error();
  for (const Kind kind : kinds) {
    const base::Result<bool> erased = (*from)->erase(source, kind);
    if (!erased) {
      base::Error error = erased.error();
      error.cause = "moved, but the old copy stands: " + error.cause;
      error.cure = "run this again";
      return error;
    }
  }
  return base::done();
}

// How many secrets were moved.
base::Result<std::size_t> move_account(const Move& move, const Account& account) {
  token::Refresh refresh(account, move.places.runtime_dir, move.places.keyring);
  const base::Result<base::Fd> lock = lock_refresh(refresh);
  if (!lock) return lock.error();
  std::vector<Kind> moved;
  for (const Kind kind : all_kinds) {
    const base::Result<bool> copied = copy(move, account, kind);
    if (!copied) return of_account(copied.error(), account);
    if (*copied) moved.push_back(kind);
  }
  base::Done done = switch_over(move, account);
  if (done) done = erase(move, account, moved);
  if (!done) return of_account(done.error(), account);
  return moved.size();
}

bool concerned(const Move& move, const Account& account) {
  return in_force(account) == move.from || in_force(account) == move.to;
}

int move_accounts(const Move& move, const std::vector<Account>& accounts) {
  int exit = 0;
  std::size_t seen = 0;
  for (const Account& account : accounts) {
    if (account.broken || !concerned(move, account)) continue;
    ++seen;
    const base::Result<std::size_t> moved = move_account(move, account);
    const int code =
        moved ? say(account.name + ": keyring = " + word_of(move.to) + ", " +
                    std::to_string(*moved) + (*moved == 1 ? " secret" : " secrets") + " moved\n")
              : complain(moved.error());
    if (exit == 0) exit = code;
  }
  if (seen > 0) return exit;
  return complain(base::failure(Fault::config,
                                std::string("no account has keyring = ") + word_of(move.from),
                                "see: mailbearer keyring status"));
}

base::Done judge(Where from, Where to) {
  if (to == Where::command) {
    return base::failure(Fault::usage, "keyring = command can only be read, not stored in",
                         "store the secret with that program, then set secret_command");
  }
  if (from == to) {
    return base::failure(Fault::usage, "the two keyrings are the same",
                         "usage: mailbearer keyring migrate FROM TO [ACCOUNT]");
  }
  return base::done();
}

}  // namespace

int keyring_migrate(const Call& call) {
  const base::Result<Where> from = where_of(call.operand(0));
  if (!from) return complain(from.error());
  const base::Result<Where> to = where_of(call.operand(1));
  if (!to) return complain(to.error());
  const base::Done sound = judge(*from, *to);
  if (!sound) return complain(sound.error());
  const Place place(call.command);
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  const base::Result<std::vector<Account>> accounts = accounts_of(place, call.operand(2));
  if (!accounts) return complain(accounts.error());
  return move_accounts({*from, *to, place, source_places(place, *loaded)}, *accounts);
}

}  // namespace verb
