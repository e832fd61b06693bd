#include "token/keyring.h"

#include <algorithm>
#include <array>

#include "token/keyring_command.h"
#include "token/keyring_file.h"
#include "token/keyring_secret_service.h"

namespace token {

namespace {

struct KindWord {
  Kind kind;
  const char* word;
};
constexpr std::array kind_words = {
    KindWord{Kind::refresh_token, "refresh-token"},
    KindWord{Kind::client_secret, "client-secret"},
    KindWord{Kind::password, "password"},
    KindWord{Kind::key_passphrase, "key-passphrase"},
    KindWord{Kind::device_password, "device-password"},
};

}  // namespace

const char* kind_name(Kind kind) {
  const auto* row = std::find_if(kind_words.begin(), kind_words.end(),
                                 [kind](const KindWord& each) { return each.kind == kind; });
  return row->word;
}

std::optional<Kind> kind_of(std::string_view name) {
  for (const KindWord& row : kind_words) {
    if (name == row.word) return row.kind;
  }
  return std::nullopt;
}

std::string cure_for(const account::Account& account, Kind kind) {
  if (kind == Kind::refresh_token) return "run: mailbearer login " + account.name;
  return "run: mailbearer secret set " + account.name + " " + kind_name(kind);
}

std::string spoken(Kind kind) {
  std::string name = kind_name(kind);
  for (char& c : name) {
    if (c == '-') c = ' ';
  }
  return name;
}

base::Error other_settings(const account::Account& account, Kind kind) {
  base::Error error = base::failure(
      base::Fault::config,
      "the stored " + spoken(kind) + " of `" + account.name +
          "` belongs to other settings (user, client_id, tenant or token_endpoint changed)",
      cure_for(account, kind));
  error.account = account.name;
  return error;
}

base::Result<std::unique_ptr<Keyring>> open_keyring(const account::Account& account,
                                                    const KeyringPlaces& places) {
  switch (account.keyring) {
    case account::Keyring::secret_service:
      return std::unique_ptr<Keyring>(std::make_unique<SecretServiceKeyring>(account, places));
    case account::Keyring::command:
      return std::unique_ptr<Keyring>(std::make_unique<CommandKeyring>(account));
    case account::Keyring::unset:  // always means file; never a choice made while sending
    case account::Keyring::file:
      break;
  }
  if (account.keyring_dir.empty() || account.keyring_dir.front() != '/') {
    base::Error error =
        base::failure(base::Fault::config, "keyring_dir is no absolute path", "set keyring_dir");
    error.account = account.name;
    return error;
  }
  return std::unique_ptr<Keyring>(std::make_unique<FileKeyring>(account.keyring_dir, places));
}

}  // namespace token
