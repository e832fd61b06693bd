#include "queue/spool_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace queue {

namespace {

template <typename Call>
auto through_signals(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

base::Error not_ours(const std::string& why) {
  return base::failure(base::Fault::bad_message, "damaged spool file: " + why);
}

}  // namespace

base::Error spool_error(const std::string& doing, int sys) {
  const bool cannot_create = sys == EROFS || sys == EACCES || sys == EPERM || sys == ENOENT;
  base::Error error =
      base::failure_errno(cannot_create ? base::Fault::cannot_create : base::Fault::io, doing, sys);
  error.kind = base::FaultClass::temporary;
  if (sys == ENOSPC || sys == EDQUOT) error.cure = "make room for the mail queue";
  if (sys == EROFS) error.cure = "make the mail queue writable";
  if (sys == EIO) error.cure = "look at the disk";
  return error;
}

base::Result<base::Fd> open_own(int folder, const std::string& name, Access access) {
  // O_NONBLOCK: a fifo must not hang us.
  const int mode = access == Access::write ? O_RDWR : O_RDONLY;
  base::Fd file(through_signals([&] {
    return openat(folder, name.c_str(), mode | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  }));
  if (!file.open()) {
    if (errno == ELOOP || errno == ENXIO || errno == EISDIR) return not_ours("it is no file");
    return spool_error("cannot open a queued message", errno);
  }
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) return spool_error("cannot look at a queued message", errno);
  if (!S_ISREG(facts.st_mode)) return not_ours("it is no file");
  if (facts.st_uid != geteuid() || (facts.st_mode & 0077) != 0)
    return not_ours("others may change it");
  return file;
}

base::Result<std::uint64_t> size_of(int fd) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) return spool_error("cannot look at a queued message", errno);
  return static_cast<std::uint64_t>(facts.st_size);
}

base::Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t count) {
  std::string out(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = through_signals([&] {
      return pread(fd, out.data() + have, count - have, static_cast<off_t>(offset + have));
    });
    if (got < 0) return spool_error("cannot read a queued message", errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  out.resize(have);
  return out;
}

base::Done write_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = through_signals(
        [&] { return pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (put <= 0) return spool_error("cannot write the mail queue", put < 0 ? errno : EIO);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return base::done();
}

base::Done sync_file(int fd, What what) {
  const int result = through_signals([&] { return what == What::all ? fsync(fd) : fdatasync(fd); });
  if (result != 0) return spool_error("cannot sync the mail queue", errno);
  return base::done();
}

base::Result<base::Fd> open_folder(int above, const std::string& name) {
  if (mkdirat(above, name.c_str(), 0700) != 0 && errno != EEXIST)
    return spool_error("cannot create the spool folder " + name, errno);
  base::Fd folder(through_signals([&] {
    return openat(above, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }));
  if (!folder.open()) return spool_error("cannot open the spool folder " + name, errno);
  struct stat facts {};
  if (fstat(folder.get(), &facts) != 0 || facts.st_uid != geteuid() ||
      (facts.st_mode & 0077) != 0) {
    return base::failure(base::Fault::config, "the spool folder " + name + " is open to others",
                         "make it our own, mode 700");
  }
  return folder;
}

}  // namespace queue
