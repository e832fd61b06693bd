#include "token/keyring_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace token {

namespace {

constexpr std::int64_t lock_wait_ms = 5000;

std::string without_slash(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

std::string words_for(const account::Account& account, Kind kind) {
  return account::binding(account) + "\n" + kind_name(kind);
}

base::Error with_cure(base::Error error, const account::Account& account, Kind kind) {
  error.account = account.name;
  if (error.cure.empty()) error.cure = cure_for(account, kind);
  return error;
}

std::string name_of(const account::Account& account, Kind kind) {
  return name_for(kind_name(kind), account.name);
}

// Whether there surely is nothing: a path that may not be looked at is judged where it is opened.
bool missing(const std::string& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) != 0 && errno == ENOENT;
}

}  // namespace

KeyPlaces key_places(const std::string& folder, const KeyringPlaces& places) {
  return {places.credentials_directory, folder.empty() ? "" : without_slash(folder) + ".key"};
}

std::string stamp_of_file(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return {};
  std::string stamp;
  for (const auto number :
       {static_cast<std::uint64_t>(facts.st_dev), static_cast<std::uint64_t>(facts.st_ino),
        static_cast<std::uint64_t>(facts.st_size), static_cast<std::uint64_t>(facts.st_mtim.tv_sec),
        static_cast<std::uint64_t>(facts.st_mtim.tv_nsec)}) {
    stamp += std::to_string(number) + ".";
  }
  return stamp;
}

std::int64_t changed_s_of_file(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 ? facts.st_mtim.tv_sec : 0;
}

FileKeyring::FileKeyring(std::string folder, const KeyringPlaces& places)
    : folder_(without_slash(std::move(folder))),
      key_(key_places(folder_, places)),
      generations_(folder_ + ".seen") {}

std::string FileKeyring::path_of(const account::Account& account, Kind kind) const {
  return folder_ + "/" + name_of(account, kind);
}

std::string FileKeyring::describe() const {
  return "file " + folder_;
}

std::string FileKeyring::stamp(const account::Account& account, Kind kind) {
  return stamp_of_file(path_of(account, kind));
}

std::int64_t FileKeyring::changed_s(const account::Account& account, Kind kind) const {
  return changed_s_of_file(path_of(account, kind));
}

base::Result<std::optional<base::Secret>> FileKeyring::load(const account::Account& account,
                                                            Kind kind) {
  const std::string path = path_of(account, kind);
  if (missing(path)) return std::optional<base::Secret>();
  base::Done judged = base::judge_private_folder(folder_);
  if (!judged) return with_cure(std::move(judged).error(), account, kind);
  base::Result<std::optional<base::Secret>> key = load_key(key_);
  if (!key) return with_cure(std::move(key).error(), account, kind);
  if (!key->has_value()) {
    return with_cure(
        base::failure(base::Fault::sign_in_needed, "the key of keyring " + folder_ + " is missing"),
        account, kind);
  }
  base::Result<Unsealed> unsealed = read_sealed(path, **key, words_for(account, kind));
  if (!unsealed) return with_cure(std::move(unsealed).error(), account, kind);
  switch (unsealed->state) {
    case Unsealed::State::absent:
      break;
    case Unsealed::State::other_words:
      return other_settings(account, kind);
    case Unsealed::State::opened:
      if (unsealed->generation < generations_.seen(**key, name_of(account, kind))) {
        return put_back(account, kind);
      }
      return std::optional<base::Secret>(std::move(unsealed->secret));
  }
  return std::optional<base::Secret>();
}

base::Result<base::Fd> FileKeyring::locked() {
  base::Done folder = make_private_folder(folder_);
  if (!folder) return std::move(folder).error();
  return base::lock_file(folder_ + "/.lock", lock_wait_ms);
}

base::Error FileKeyring::put_back(const account::Account& account, Kind kind) const {
  base::Error error =
      base::failure(base::Fault::sign_in_needed,
                    "an older copy of the stored " + spoken(kind) + " was put back into " + folder_,
                    cure_for(account, kind));
  error.account = account.name;
  return error;
}

// The number is noted after the file stands: killed in between, the file is ahead, which is sound.
base::Done FileKeyring::write(const account::Account& account, Kind kind,
                              const base::Secret& secret) {
  base::Result<base::Secret> key = load_or_make_key(key_);
  if (!key) return std::move(key).error();
  const std::string path = path_of(account, kind);
  const std::string words = words_for(account, kind);
  const base::Result<Unsealed> before = read_sealed(path, *key, words);
  const std::uint64_t generation =
      std::max(before ? before->generation : 0, generations_.seen(*key, name_of(account, kind))) +
      1;
  base::Done written = write_sealed(path, *key, words, secret, generation);
  if (written) generations_.note(*key, name_of(account, kind), generation);
  return written;
}

base::Done FileKeyring::store(const account::Account& account, Kind kind,
                              const base::Secret& secret) {
  base::Result<base::Fd> lock = locked();
  if (!lock) return std::move(lock).error();
  return write(account, kind, secret);
}

base::Result<bool> FileKeyring::exchange(const account::Account& account, Kind kind,
                                         const base::Secret& expected, const base::Secret& secret) {
  base::Result<base::Fd> lock = locked();
  if (!lock) return std::move(lock).error();
  base::Result<std::optional<base::Secret>> stored = load(account, kind);
  if (!stored) return std::move(stored).error();
  if (!stored->has_value() || (*stored)->reveal() != expected.reveal()) return false;
  base::Done written = write(account, kind, secret);
  if (!written) return std::move(written).error();
  return true;
}

base::Result<base::Fd> FileKeyring::reserve(const account::Account& account, Kind kind) {
  // The first sign-in finds no folder yet.
  const base::Done folder = make_private_folder(folder_);
  base::Result<base::Fd> room =
      folder ? reserve_sealed(path_of(account, kind)) : base::Result<base::Fd>(folder.error());
  if (room) return room;
  base::Error error = std::move(room).error();
  error.account = account.name;
  error.cure = "free space in " + folder_ + ", or make it writable";
  return error;
}

base::Result<bool> FileKeyring::erase(const account::Account& account, Kind kind) {
  const std::string path = path_of(account, kind);
  if (missing(path)) return false;
  base::Result<base::Fd> lock = locked();
  if (!lock) return std::move(lock).error();
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return false;
    return base::failure_errno(base::Fault::cannot_create, "cannot remove " + path, errno);
  }
  // What was erased must not come back either.
  const base::Result<std::optional<base::Secret>> key = load_key(key_);
  if (key && key->has_value()) {
    const std::uint64_t seen = generations_.seen(**key, name_of(account, kind));
    if (seen > 0) generations_.note(**key, name_of(account, kind), seen + 1);
  }
  const base::Fd folder(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || fsync(folder.get()) != 0) {
    return base::failure_errno(base::Fault::io, "cannot sync " + folder_, errno);
  }
  return true;
}

}  // namespace token
