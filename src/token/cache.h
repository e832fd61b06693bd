// cache: what the processes of one user share about one account's access token: the token itself,
// the lock under which it is refreshed, and the last refusal. Source: design section 5; facts
// (providers) 1.7, (reliability) T3, T6, T8. Lies in runtime_dir if that is ours and 0700, else in
// the keyring's folder, else nowhere; sealed with the keyring's key, or, where there is none, one
// made in runtime_dir. A cache that cannot be read or written is a cache that is empty: nothing
// here fails. Times are wall clock seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "account/account.h"
#include "base/error.h"
#include "base/secret.h"
#include "net/record.h"
#include "token/keyring.h"
#include "token/store_key.h"

namespace token {

struct CachedToken {
  base::Secret token{};
  std::int64_t issued_s = 0;
  std::int64_t expires_s = 0;
  // Not expired, and not issued in the future, which a clock set back would make it.
  bool valid(std::int64_t now) const;
  // Valid, and with more life left than the margin; a short-lived token (some servers give 300 s)
  // keeps three quarters of its life.
  bool usable(std::int64_t now, std::int64_t margin_s) const;
};

class Cache {
 public:
  Cache(const account::Account& account, const std::string& runtime_dir,
        const KeyringPlaces& places);

  bool anywhere() const { return !folder_.empty(); }
  // Empty: there is no place for a lock, and so nobody to share with.
  const std::string& lock_path() const { return lock_path_; }

  // Only a token that was got with the credential that `stamp` stands for.
  std::optional<CachedToken> load(const std::string& stamp);
  void store(const CachedToken& token, const std::string& stamp);

  // A refusal of the same request that is too young to ask again.
  std::optional<base::Error> refusal(const std::string& fingerprint);
  // Erases both, so that the next process asks.
  void forget();
  void remember(const base::Error& error, const std::string& fingerprint, std::int64_t seconds);

 private:
  std::optional<base::Secret> key(bool make);
  std::optional<net::Record> read(const std::string& name, const std::string& words);
  void write(const std::string& name, const std::string& words, const net::Record& record);

  std::string folder_;
  std::string lock_path_;
  KeyPlaces keyring_key_;
  KeyPlaces own_key_;
  std::string token_words_;
  std::string refusal_words_;
  std::string identity_;  // tells accounts of equal words in different keyrings apart
};

}  // namespace token
