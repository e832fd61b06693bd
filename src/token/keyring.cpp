#include "token/keyring.h"

#include <algorithm>
#include <array>

#include "token/keyring_file.h"

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
};

base::Error only_file(const account::Account& account, const std::string& kind) {
  base::Error error = base::failure(base::Fault::config,
                                    "this version has no `keyring = " + kind + "`, only `file`",
                                    "set keyring = file in " + account.where);
  error.account = account.name;
  return error;
}

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

base::Result<std::unique_ptr<Keyring>> open_keyring(const account::Account& account,
                                                    const KeyringPlaces& places) {
  switch (account.keyring) {
    case account::Keyring::secret_service:
      return only_file(account, "secret-service");
    case account::Keyring::command:
      return only_file(account, "command");
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
