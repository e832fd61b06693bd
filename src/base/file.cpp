#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/clock.h"
#include "base/random.h"

namespace base {

void Fd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

namespace {

bool owner_trusted(uid_t owner) {
  return owner == 0 || owner == geteuid();
}

Error others_may_write(const std::string& path) {
  return failure(Fault::config, path + " may be written by others",
                 "run: chmod go-w " + path + " (and see that root or you own it)");
}

// One folder of the way up. A sticky folder of root lets nobody replace what others own.
Done judge_one_folder(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    return failure_errno(Fault::config, "cannot look at " + path, errno);
  }
  if (!owner_trusted(facts.st_uid)) {
    return failure(Fault::config,
                   path + " belongs to another user (uid " + std::to_string(facts.st_uid) + ")",
                   "use a folder of root or of your own");
  }
  const bool open_to_others = (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky_of_root = (facts.st_mode & S_ISVTX) != 0 && facts.st_uid == 0;
  if (open_to_others && !sticky_of_root) return others_may_write(path);
  return done();
}

constexpr std::int64_t sound_for_ms = 1000;
thread_local FoldersOnce* folders_once = nullptr;

struct FreeCharacters {
  void operator()(char* text) const { std::free(text); }
};

Result<std::string> resolved(const std::string& path) {
  const std::unique_ptr<char, FreeCharacters> real(realpath(path.c_str(), nullptr));
  if (!real) return failure_errno(Fault::config, "cannot resolve " + path, errno);
  return std::string(real.get());
}

// Where an open file lies, as the kernel knows it; empty when that is no path of ours (unlinked
// meanwhile, outside of our root, no /proc).
std::string place_of(int fd, const struct stat& facts) {
  if (facts.st_nlink == 0) return {};
  std::array<char, PATH_MAX> text{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = readlink(link.c_str(), text.data(), text.size());
  if (length <= 0 || static_cast<std::size_t>(length) >= text.size()) return {};
  return text[0] == '/' ? std::string(text.data(), static_cast<std::size_t>(length))
                        : std::string();
}

// Of a path without links.
Done judge_real_folder(const std::string& real) {
  std::vector<std::string> judged;
  for (std::string folder = real;; folder = folder_of(folder)) {
    if (folders_once != nullptr && folders_once->knows(folder)) break;
    Done sound = judge_one_folder(folder);
    if (!sound) return sound;
    judged.push_back(folder);
    if (folder == "/") break;
  }
  if (folders_once != nullptr) folders_once->learn(std::move(judged));
  return done();
}

}  // namespace

FoldersOnce::FoldersOnce() : outer_(folders_once) {
  folders_once = this;
}

FoldersOnce::~FoldersOnce() {
  folders_once = outer_;
}

bool FoldersOnce::knows(const std::string& folder) const {
  const std::int64_t now = boot_ms();
  return std::any_of(sound_.begin(), sound_.end(), [&](const Sound& each) {
    return each.folder == folder && now - each.at_ms < sound_for_ms;
  });
}

void FoldersOnce::learn(std::vector<std::string> folders) {
  const std::int64_t now = boot_ms();
  for (std::string& folder : folders) {
    const auto same = [&](const Sound& each) { return each.folder == folder; };
    sound_.erase(std::remove_if(sound_.begin(), sound_.end(), same), sound_.end());
    sound_.push_back({std::move(folder), now});
  }
}

Done judge_folder(const std::string& path) {
  if (folders_once != nullptr && folders_once->knows(path)) return done();
  Result<std::string> real = resolved(path);
  if (!real) return std::move(real).error();
  Done judged = judge_real_folder(*real);
  if (judged && folders_once != nullptr && path != *real) folders_once->learn({path});
  return judged;
}

Done judge_private_folder(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    return failure_errno(Fault::config, "cannot look at " + path, errno);
  }
  if (!S_ISDIR(facts.st_mode)) return failure(Fault::config, path + " is not a folder");
  if (facts.st_uid != geteuid()) {
    return failure(Fault::config, path + " belongs to another user", "use a folder of your own");
  }
  if ((facts.st_mode & 0077) != 0) {
    return failure(Fault::config, path + " is open to others", "run: chmod 700 " + path);
  }
  return judge_folder(path);
}

bool runtime_folder_ready(const std::string& path) {
  if (path.empty() || path.front() != '/') return false;
  struct stat above {};
  if (stat(folder_of(path).c_str(), &above) == 0 && above.st_uid == geteuid()) {
    mkdir(path.c_str(), 0700);  // an existing one is judged like a new one
  }
  return judge_private_folder(path).ok();
}

Result<Fd> open_trusted(const std::string& path, bool private_too) {
  // O_NONBLOCK: a fifo put in place of the file must not hang us.
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.open()) return failure_errno(Fault::config, "cannot open " + path, errno);
  struct stat facts {};
  if (fstat(fd.get(), &facts) != 0)
    return failure_errno(Fault::config, "cannot look at " + path, errno);
  if (!S_ISREG(facts.st_mode)) return failure(Fault::config, path + " is not a regular file");
  if (!owner_trusted(facts.st_uid)) {
    return failure(Fault::config,
                   path + " belongs to another user (uid " + std::to_string(facts.st_uid) + ")",
                   "make it root's or your own");
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) return others_may_write(path);
  if (private_too && (facts.st_mode & (S_IRGRP | S_IROTH)) != 0) {
    return failure(Fault::config, path + " may be read by others", "run: chmod 600 " + path);
  }
  // The folders of the file that was opened, not of the name: /proc tells where it lies.
  std::string real = place_of(fd.get(), facts);
  if (real.empty()) {
    Result<std::string> by_name = resolved(path);
    if (!by_name) return std::move(by_name).error();
    real = std::move(*by_name);
  }
  Done folders = judge_real_folder(folder_of(real));
  if (!folders) return std::move(folders).error();
  return fd;
}

Result<std::string> read_all(int fd, std::size_t limit, const std::string& path) {
  std::string out;
  std::array<char, std::size_t{16} * 1024> buffer{};
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got == 0) return out;
    if (got < 0) {
      if (errno == EINTR) continue;
      return failure_errno(Fault::io, "cannot read " + path, errno);
    }
    if (out.size() + static_cast<std::size_t>(got) > limit) {
      return failure(Fault::config, path + " is larger than " + std::to_string(limit) + " bytes");
    }
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Result<Secret> read_secret(int fd, std::size_t limit, const std::string& path) {
  Secret out;
  std::array<char, 4096> buffer{};
  Result<Secret> answer = failure(Fault::io, "cannot read " + path);
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got == 0) {
      answer = std::move(out);
      break;
    }
    if (got < 0) {
      if (errno == EINTR) continue;
      answer = failure_errno(Fault::io, "cannot read " + path, errno);
      break;
    }
    if (out.size() + static_cast<std::size_t>(got) > limit) {
      answer = failure(Fault::config, path + " is larger than " + std::to_string(limit) + " bytes");
      break;
    }
    out.append(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  }
  explicit_bzero(buffer.data(), buffer.size());
  return answer;
}

Done write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      return failure_errno(Fault::io, "cannot write " + path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return done();
}

namespace {

Done write_and_rename(Fd file, const std::string& temporary, const std::string& path,
                      std::string_view bytes, Durable durable) {
  Done written = write_all(file.get(), bytes, temporary);
  if (!written) return written;
  if (durable == Durable::yes && fsync(file.get()) != 0) {
    return failure_errno(Fault::io, "cannot sync " + temporary, errno);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return failure_errno(Fault::cannot_create, "cannot rename to " + path, errno);
  }
  if (durable == Durable::no) return done();
  const Fd folder(open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || fsync(folder.get()) != 0) {
    return failure_errno(
        Fault::io, path + " is replaced, but not known to last: cannot sync " + folder_of(path),
        errno);
  }
  return done();
}

}  // namespace

Done replace_file(const std::string& path, std::string_view bytes, unsigned mode, Durable durable,
                  KeepGroup group) {
  const std::string temporary = path + "." + random_hex(6) + ".tmp";
  Fd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
               static_cast<mode_t>(mode)));
  if (!file.open()) return failure_errno(Fault::cannot_create, "cannot create " + temporary, errno);
  // The mode asked for, whatever the umask; never more. The group first: a new one takes bits away.
  const bool grouped = !group || fchown(file.get(), static_cast<uid_t>(-1), *group) == 0;
  if (!grouped || fchmod(file.get(), static_cast<mode_t>(mode)) != 0) {
    const int sys = errno;
    unlink(temporary.c_str());
    return failure_errno(Fault::cannot_create, "cannot set group and mode of " + temporary, sys);
  }
  Done renamed = write_and_rename(std::move(file), temporary, path, bytes, durable);
  if (!renamed) unlink(temporary.c_str());  // after a successful rename there is nothing to remove
  return renamed;
}

Done make_folders(const std::string& path, unsigned mode) {
  if (mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return done();
  if (errno == EEXIST) {
    struct stat facts {};
    if (stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) return done();
    return failure(Fault::cannot_create, path + " is not a folder");
  }
  const std::string above = folder_of(path);
  if (errno != ENOENT || above == path) {
    return failure_errno(Fault::cannot_create, "cannot create " + path, errno);
  }
  Done made = make_folders(above, mode);
  if (!made) return made;
  if (mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0 || errno == EEXIST) return done();
  return failure_errno(Fault::cannot_create, "cannot create " + path, errno);
}

Result<Fd> lock_file(const std::string& path, std::int64_t wait_ms) {
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.open()) return failure_errno(Fault::cannot_create, "cannot create " + path, errno);
  const Deadline deadline = Deadline::after_ms(wait_ms);
  for (;;) {
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return failure_errno(Fault::io, "cannot lock " + path, errno);
    }
    if (deadline.passed())
      return failure(Fault::unavailable, path + " is locked by another process");
    usleep(5000);  // flock has no deadline, and an alarm signal would disturb the program around us
  }
}

Result<Fd> temporary_file() {
  for (const char* folder : {"/var/tmp", "/tmp"}) {
    const int fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) return Fd(fd);
    // A file system without O_TMPFILE: a name for an instant.
    const std::string name = std::string(folder) + "/mailbearer-" + random_hex(16);
    const int named = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (named >= 0) {
      unlink(name.c_str());
      return Fd(named);
    }
  }
  const int memory = memfd_create("mailbearer", MFD_CLOEXEC);
  if (memory >= 0) return Fd(memory);
  return failure_errno(Fault::cannot_create, "cannot create a temporary file", errno);
}

bool open_standard_descriptors() {
  bool input_was_closed = false;
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    if (fd == 0) input_was_closed = true;
    // Lowest free number: all below are open already, so this one becomes `fd`.
    const int opened = open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
    if (opened < 0) _exit(71);
  }
  return input_was_closed;
}

}  // namespace base
