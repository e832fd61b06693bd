// credential: the refresh token, client secret or password that an account signs in with: from the
// file that its *_file key names, else from its keyring. Source: design sections 3 and 5. Files are
// read anew for every token request, symlinks followed, the opened file judged (others may read it:
// containers mount secrets 0444), one trailing newline dropped. A rotated refresh token of an
// account with refresh_token_file, or with keyring = command, is kept sealed in the keyring's
// folder, bound to the digest of what was given, so that a newly provided one always wins. Errors:
// Fault::config, Fault::sign_in_needed (none stored).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "account/account.h"
#include "base/file.h"
#include "base/result.h"
#include "token/keyring.h"

namespace token {

struct Credential {
  base::Secret secret{};
  std::string file_digest{};  // of the file it came from, also when a rotated one replaced it
};

class Credentials {
 public:
  Credentials(const account::Account& account, const KeyringPlaces& places)
      : account_(account), places_(places) {}

  base::Result<Credential> load(Kind kind);
  // For what may be absent, such as the client secret of a public client.
  base::Result<std::optional<Credential>> load_if_any(Kind kind);
  // To be held over a request whose answer may rotate `used`: see Keyring::reserve. Of one that
  // came from a file nothing is asked, for the file still holds its own.
  base::Result<base::Fd> reserve(Kind kind, const Credential& used);
  // After a rotation. False: what is stored is no longer what was used, and stands.
  base::Result<bool> replace(Kind kind, const Credential& used, const base::Secret& rotated);
  // Whether `rotated` is what is stored now, whatever replace() said.
  bool stands(Kind kind, const base::Secret& rotated);
  // For logout: the one that was kept beside a file or a program's answer. False: there was none.
  base::Result<bool> forget_rotated();
  // When a sign-in or a rotation last wrote it, as wall clock seconds; 0: not known.
  std::int64_t changed_s(Kind kind);
  // Changes when the credential changes; see Keyring::stamp.
  std::string stamp(Kind kind);

 private:
  base::Result<Keyring*> keyring();
  base::Result<std::optional<base::Secret>> from_keyring(Kind kind);
  std::string rotated_path() const;
  std::string rotated_words(const std::string& file_digest) const;
  void take_rotated(Credential& credential);
  base::Result<Credential> from_file(const std::string& path, Kind kind);

  const account::Account& account_;
  KeyringPlaces places_;
  std::unique_ptr<Keyring> keyring_;
};

// The *_file key of a kind and its value; an empty path when it is not set.
struct FileKey {
  const char* key;
  std::string path;
};
FileKey file_key(const account::Account& account, Kind kind);

}  // namespace token
