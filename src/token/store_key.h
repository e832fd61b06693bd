// store_key: the key that seals what the token room keeps on disk. Source: design section 5; facts
// (reliability) 2.3. From $CREDENTIALS_DIRECTORY/mailbearer.key where there is one, else from a key
// file beside the store: 32 raw bytes, or 64 hex digits. Errors: Fault::config when the file may be
// read or changed by others or holds no key; Fault::cannot_create.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace token {

struct KeyPlaces {
  std::string credentials_directory{};  // may be empty
  std::string key_file{};               // may be empty
};

// Nothing: there is no key yet.
base::Result<std::optional<base::Secret>> load_key(const KeyPlaces& places);
// The key; made first (0400, 32 random bytes) when there is none. Of two that make one at once,
// both end with the same.
base::Result<base::Secret> load_or_make_key(const KeyPlaces& places);

}  // namespace token
