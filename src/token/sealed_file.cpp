#include "token/sealed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/random.h"
#include "base/seal.h"

namespace token {

namespace {

constexpr std::string_view version = "MBC1";
constexpr std::size_t digest_digits = 64;
constexpr std::size_t header_bytes = version.size() + 1 + digest_digits + 1;
constexpr off_t reserved_bytes = off_t{16} * 1024;
constexpr std::size_t file_limit_bytes = std::size_t{256} * 1024;

std::string bound_to(std::string_view words) {
  return std::string(version) + "\n" + std::string(words);
}

base::Done judge_file(int fd, const std::string& path) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) {
    return base::failure_errno(base::Fault::config, "cannot look at " + path, errno);
  }
  if (!S_ISREG(facts.st_mode)) {
    return base::failure(base::Fault::config, path + " is not a regular file");
  }
  if (facts.st_uid != geteuid()) {
    return base::failure(base::Fault::config, path + " belongs to another user",
                         "move it away and sign in again");
  }
  if ((facts.st_mode & 0077) != 0) {
    return base::failure(base::Fault::config, path + " is open to others",
                         "run: chmod 600 " + path);
  }
  // Another name may lie in a folder that we have not judged.
  if (facts.st_nlink != 1) {
    return base::failure(base::Fault::config, path + " has more than one name",
                         "move it away and sign in again");
  }
  return base::done();
}

base::Error damaged(const std::string& path) {
  return base::failure(
      base::Fault::sign_in_needed, "what is stored is damaged, or sealed with another key: " + path,
      "store it anew: mailbearer secret set ACCOUNT KIND (see mailbearer secret status)");
}

}  // namespace

base::Done make_private_folder(const std::string& path) {
  base::Done made = base::make_folders(path, 0700);
  if (!made) return made;
  return base::judge_private_folder(path);
}

base::Result<Unsealed> read_sealed(const std::string& path, const base::Secret& key,
                                   std::string_view words) {
  // O_NONBLOCK: a fifo put in its place must not hang us.
  const base::Fd file(
      open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.open()) {
    if (errno == ENOENT) return Unsealed{};
    if (errno == ELOOP) return base::failure(base::Fault::config, path + " is a symbolic link");
    return base::failure_errno(base::Fault::config, "cannot open " + path, errno);
  }
  base::Done judged = judge_file(file.get(), path);
  if (!judged) return std::move(judged).error();
  base::Result<std::string> bytes = base::read_all(file.get(), file_limit_bytes, path);
  if (!bytes) return std::move(bytes).error();
  const std::string_view whole = *bytes;
  if (whole.size() < header_bytes || whole.substr(0, version.size() + 1) != "MBC1 " ||
      whole[header_bytes - 1] != '\n') {
    return damaged(path);
  }
  Unsealed unsealed;
  if (whole.substr(version.size() + 1, digest_digits) != base::sha256_hex(words)) {
    unsealed.state = Unsealed::State::other_words;
    return unsealed;
  }
  base::Result<base::Secret> secret =
      base::unseal(key, bound_to(words), whole.substr(header_bytes));
  if (!secret) {
    if (secret.error().fault == base::Fault::sign_in_needed) return damaged(path);
    return std::move(secret).error();
  }
  unsealed.state = Unsealed::State::opened;
  unsealed.secret = std::move(*secret);
  return unsealed;
}

base::Done write_sealed(const std::string& path, const base::Secret& key, std::string_view words,
                        const base::Secret& secret) {
  base::Result<std::string> sealed = base::seal(key, bound_to(words), secret);
  if (!sealed) return std::move(sealed).error();
  std::string bytes = std::string(version) + " " + base::sha256_hex(words) + "\n" + *sealed;
  return base::replace_file(path, bytes, 0600);
}

base::Result<base::Fd> reserve_sealed(const std::string& path) {
  const std::string name = path + "." + base::random_hex(6) + ".tmp";
  base::Fd file(open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.open()) {
    return base::failure_errno(base::Fault::cannot_create, "cannot create " + name, errno);
  }
  unlink(name.c_str());  // whoever is killed now leaves nothing behind
  int sys = EINTR;
  while (sys == EINTR) sys = posix_fallocate(file.get(), 0, reserved_bytes);
  if (sys != 0) return base::failure_errno(base::Fault::io, "cannot write " + name, sys);
  return file;
}

std::string name_for(std::string_view kind, std::string_view words) {
  return std::string(kind) + "-" + base::sha256_hex(words).substr(0, 32);
}

}  // namespace token
