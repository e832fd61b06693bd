// generations: how often each credential of a keyring's folder has been written, noted in one
// sealed file beside the folder, so that an older file put back into it is noticed. Whoever puts
// back folder and note together (a restored backup of both) is not noticed; nor is anybody who
// removes the note. Source: facts (reliability) T10, A18; docs/decisions/0025. A note that cannot
// be read or written is none: nothing here fails. Callers hold the keyring's lock to write.
#pragma once

#include <cstdint>
#include <string>

#include "base/secret.h"

namespace token {

class Generations {
 public:
  explicit Generations(std::string path) : path_(std::move(path)) {}
  // 0: none is noted.
  std::uint64_t seen(const base::Secret& key, const std::string& name) const;
  void note(const base::Secret& key, const std::string& name, std::uint64_t generation) const;

 private:
  std::string path_;
};

}  // namespace token
