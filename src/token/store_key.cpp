#include "token/store_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"

namespace token {

namespace {

constexpr const char* credential_name = "/mailbearer.key";
constexpr std::size_t hex_digits = 2 * base::seal_key_bytes;

int hex_value(char c) {
  if (base::is_digit(c)) return c - '0';
  const char low = base::to_lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

base::Error no_key(const std::string& path) {
  return base::failure(base::Fault::config,
                       path + " holds no key (32 bytes, or 64 hexadecimal digits)",
                       "restore the key file, or move it away and sign in again");
}

base::Result<base::Secret> key_of(const base::Secret& content, const std::string& path) {
  const std::string_view bytes = content.reveal();
  if (bytes.size() == base::seal_key_bytes) return content.clone();
  const std::string_view digits = base::trim(bytes);
  if (digits.size() != hex_digits) return no_key(path);
  base::Secret key;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_value(digits[i]);
    const int low = hex_value(digits[i + 1]);
    if (high < 0 || low < 0) return no_key(path);
    const char byte = static_cast<char>(high * 16 + low);
    key.append(std::string_view(&byte, 1));
  }
  return key;
}

base::Result<std::optional<base::Secret>> read_key(const std::string& path, bool private_too) {
  base::Result<base::Fd> file = base::open_trusted(path, private_too);
  if (!file) {
    if (file.error().sys == ENOENT) return std::optional<base::Secret>();
    return std::move(file).error();
  }
  struct stat facts {};
  if (fstat(file->get(), &facts) != 0) {
    return base::failure_errno(base::Fault::config, "cannot look at " + path, errno);
  }
  if ((facts.st_mode & S_IROTH) != 0) {
    return base::failure(base::Fault::config, path + " may be read by others",
                         "run: chmod 400 " + path);
  }
  base::Result<base::Secret> content = base::read_secret(file->get(), hex_digits + 2, path);
  if (!content) return std::move(content).error();
  base::Result<base::Secret> key = key_of(*content, path);
  if (!key) return std::move(key).error();
  return std::optional<base::Secret>(std::move(*key));
}

// Written whole under another name first, then linked: link(2) does not replace, so the first of
// two makers wins and nobody ever sees half a key.
base::Done make_key(const std::string& path) {
  base::Result<base::Secret> key = base::random_secret(base::seal_key_bytes);
  if (!key) return std::move(key).error();
  const std::string temporary = path + "." + base::random_hex(6) + ".tmp";
  const base::Fd file(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!file.open()) {
    return base::failure_errno(base::Fault::cannot_create, "cannot create " + temporary, errno);
  }
  base::Done made = base::write_all(file.get(), key->reveal(), temporary);
  if (made && fsync(file.get()) != 0) {
    made = base::failure_errno(base::Fault::io, "cannot sync " + temporary, errno);
  }
  if (made && link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    made = base::failure_errno(base::Fault::cannot_create, "cannot create " + path, errno);
  }
  unlink(temporary.c_str());
  if (!made) return made;
  const std::string above = base::folder_of(path);
  const base::Fd folder(open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || fsync(folder.get()) != 0) {
    return base::failure_errno(base::Fault::io, "cannot sync " + above, errno);
  }
  return base::done();
}

base::Error key_missing(const std::string& path) {
  return base::failure(base::Fault::config, "there is no place for the key of the keyring",
                       path.empty() ? "set keyring_dir" : "check " + path);
}

}  // namespace

base::Result<std::optional<base::Secret>> load_key(const KeyPlaces& places) {
  if (!places.credentials_directory.empty()) {
    // systemd may let the service read by an access list, which shows as group permission.
    base::Result<std::optional<base::Secret>> given =
        read_key(places.credentials_directory + credential_name, false);
    if (!given || given->has_value()) return given;
  }
  if (places.key_file.empty()) return std::optional<base::Secret>();
  return read_key(places.key_file, true);
}

base::Result<base::Secret> load_or_make_key(const KeyPlaces& places) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    base::Result<std::optional<base::Secret>> key = load_key(places);
    if (!key) return std::move(key).error();
    if (key->has_value()) return std::move(**key);
    if (places.key_file.empty()) break;
    base::Done folders = base::make_folders(base::folder_of(places.key_file), 0700);
    if (!folders) return std::move(folders).error();
    base::Done made = make_key(places.key_file);
    if (!made) return std::move(made).error();
  }
  return key_missing(places.key_file);
}

}  // namespace token
