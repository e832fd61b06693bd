// keyring_file: the keyring of kind `file`: a folder (0700, ours) with one sealed file a
// credential, named by kind and a digest of the account's name, and the key beside the folder
// (store_key). Source: design section 5. Writers hold FOLDER/.lock. Each
// writing raises the credential's generation; the last one is noted outside the folder
// (generations), so that an older file put back is noticed (facts T10). Units: none. Errors: as
// keyring.h says.
#pragma once

#include <string>

#include "base/file.h"
#include "token/generations.h"
#include "token/keyring.h"
#include "token/sealed_file.h"
#include "token/store_key.h"

namespace token {

class FileKeyring : public Keyring {
 public:
  FileKeyring(std::string folder, const KeyringPlaces& places);
  base::Result<std::optional<base::Secret>> load(const account::Account& account,
                                                 Kind kind) override;
  base::Done store(const account::Account& account, Kind kind, const base::Secret& secret) override;
  base::Result<bool> erase(const account::Account& account, Kind kind) override;
  base::Result<bool> exchange(const account::Account& account, Kind kind,
                              const base::Secret& expected, const base::Secret& secret) override;
  base::Result<base::Fd> reserve(const account::Account& account, Kind kind) override;
  std::string stamp(const account::Account& account, Kind kind) override;
  std::int64_t changed_s(const account::Account& account, Kind kind) const override;
  std::string describe() const override;

 private:
  std::string path_of(const account::Account& account, Kind kind) const;
  base::Result<base::Fd> locked();
  base::Done write(const account::Account& account, Kind kind, const base::Secret& secret);

  base::Error put_back(const account::Account& account, Kind kind) const;

  std::string folder_;
  KeyPlaces key_;
  Generations generations_;
};

// Where keys of a store in `folder` come from: the folder's name with ".key" behind it.
KeyPlaces key_places(const std::string& folder, const KeyringPlaces& places);
// Identity of a file's content as the file system sees it: changes when the file is replaced.
std::string stamp_of_file(const std::string& path);
// 0: there is none.
std::int64_t changed_s_of_file(const std::string& path);

}  // namespace token
