#include "token/sealed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"

namespace token {

namespace {

constexpr std::string_view version = "MBC1";
constexpr std::size_t digest_digits = 64;
constexpr std::string_view counted_version = "MBC2";
constexpr std::size_t header_bytes = version.size() + 1 + digest_digits + 1;
constexpr std::size_t generation_digits = 20;
constexpr off_t reserved_bytes = off_t{16} * 1024;
constexpr std::size_t file_limit_bytes = std::size_t{256} * 1024;

std::string generation_text(std::uint64_t generation) {
  const std::string digits = std::to_string(generation);
  return std::string(generation_digits - digits.size(), '0') + digits;
}

std::string bound_to(std::string_view words, std::uint64_t generation) {
  if (generation == 0) return std::string(version) + "\n" + std::string(words);
  return std::string(counted_version) + "\n" + generation_text(generation) + "\n" +
         std::string(words);
}

struct Header {
  std::string_view digest{};
  std::uint64_t generation = 0;
  std::string_view sealed{};
};

// Nothing: it is no file of ours.
std::optional<Header> split_header(std::string_view whole) {
  if (whole.size() < header_bytes) return std::nullopt;
  const std::string_view name = whole.substr(0, version.size());
  Header header;
  header.digest = whole.substr(version.size() + 1, digest_digits);
  const std::string_view rest = whole.substr(header_bytes - 1);
  if (whole[version.size()] != ' ') return std::nullopt;
  if (name == version && rest.front() == '\n') {
    header.sealed = rest.substr(1);
    return header;
  }
  constexpr std::size_t counted_bytes = 1 + generation_digits + 1;
  if (name != counted_version || rest.size() < counted_bytes || rest.front() != ' ' ||
      rest[counted_bytes - 1] != '\n') {
    return std::nullopt;
  }
  std::int64_t generation = 0;
  if (!base::parse_number(rest.substr(1, generation_digits), 1, INT64_MAX, generation)) {
    return std::nullopt;
  }
  header.generation = static_cast<std::uint64_t>(generation);
  header.sealed = rest.substr(counted_bytes);
  return header;
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
  const std::optional<Header> header = split_header(*bytes);
  if (!header) return damaged(path);
  Unsealed unsealed;
  if (header->digest != base::sha256_hex(words)) {
    unsealed.state = Unsealed::State::other_words;
    return unsealed;
  }
  base::Result<base::Secret> secret =
      base::unseal(key, bound_to(words, header->generation), header->sealed);
  if (!secret) {
    if (secret.error().fault == base::Fault::sign_in_needed) return damaged(path);
    return std::move(secret).error();
  }
  unsealed.generation = header->generation;
  unsealed.state = Unsealed::State::opened;
  unsealed.secret = std::move(*secret);
  return unsealed;
}

base::Done write_sealed(const std::string& path, const base::Secret& key, std::string_view words,
                        const base::Secret& secret, std::uint64_t generation,
                        base::Durable durable) {
  base::Result<std::string> sealed = base::seal(key, bound_to(words, generation), secret);
  if (!sealed) return std::move(sealed).error();
  std::string bytes(generation == 0 ? version : counted_version);
  bytes += " " + base::sha256_hex(words);
  if (generation != 0) bytes += " " + generation_text(generation);
  return base::replace_file(path, bytes + "\n" + *sealed, 0600, durable);
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
