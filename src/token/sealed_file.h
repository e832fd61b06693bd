// sealed_file: one secret in one file that only we can read. Form: "MBC1 ", 64 hex digits (SHA-256
// of the words it is bound to), LF, then the sealed secret (base/seal) with those words and "MBC1"
// as AAD. With a generation: "MBC2 ", the digest, a blank, 20 digits, LF; those digits are in the
// AAD too. The digest tells "belongs to other settings" from "damaged or other key". Source: design
// section 5; facts T10. Nothing is ever deleted because of an error.
// Errors: Fault::config (owner, mode, link), Fault::sign_in_needed (damaged), Fault::io;
// write_sealed: as base::replace_file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "base/secret.h"

namespace token {

// Makes the folder when missing (0700); it must be ours alone.
base::Done make_private_folder(const std::string& path);

struct Unsealed {
  enum class State { absent, other_words, opened };
  State state = State::absent;
  base::Secret secret{};
  std::uint64_t generation = 0;  // 0: written without one
};

// The file must be regular, ours, 0600 or stricter, with one name, and is opened without following
// a link.
base::Result<Unsealed> read_sealed(const std::string& path, const base::Secret& key,
                                   std::string_view words);
base::Done write_sealed(const std::string& path, const base::Secret& key, std::string_view words,
                        const base::Secret& secret, std::uint64_t generation = 0,
                        base::Durable durable = base::Durable::yes);

// Space on the disk for one more sealed file beside `path`, until it is closed: 16 KiB in a file
// without a name. Errors: Fault::cannot_create (read-only, forbidden), Fault::io (full).
base::Result<base::Fd> reserve_sealed(const std::string& path);

// A file name from words of outside: nothing of them can steer the path.
std::string name_for(std::string_view kind, std::string_view words);

}  // namespace token
