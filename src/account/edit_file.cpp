// The file side of edit: one process at a time, the whole file or none of it.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "account/config_file.h"
#include "account/edit.h"
#include "base/clock.h"
#include "base/file.h"

namespace account {

namespace {

using base::Fault;

constexpr std::int64_t lock_wait_ms = 5000;

struct FreeCharacters {
  void operator()(char* text) const { std::free(text); }
};

// The file behind the links; a name that is not there stays as it is.
base::Result<std::string> target_of(const std::string& path) {
  const std::unique_ptr<char, FreeCharacters> real(realpath(path.c_str(), nullptr));
  if (real) return std::string(real.get());
  const int sys = errno;
  struct stat facts {};
  if (sys == ENOENT && lstat(path.c_str(), &facts) == 0 && S_ISLNK(facts.st_mode)) {
    return base::failure(Fault::config, path + " is a symbolic link to nothing",
                         "make the file it leads to, or remove the link");
  }
  if (sys == ENOENT) return path;
  return base::failure_errno(Fault::config, "cannot resolve " + path, sys);
}

// The folder itself is locked, so that nothing is left lying in it.
base::Result<base::Fd> lock_folder(const std::string& folder) {
  base::Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.open()) return base::failure_errno(Fault::config, "cannot open " + folder, errno);
  const base::Deadline deadline = base::Deadline::after_ms(lock_wait_ms);
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return base::failure_errno(Fault::io, "cannot lock " + folder, errno);
    }
    if (deadline.passed()) {
      return base::failure(Fault::unavailable, folder + " is locked by another process",
                           "try again");
    }
    usleep(5000);
  }
  return fd;
}

// What stands there now, and what has to be kept of it.
struct Standing {
  bool there = false;
  std::string text{};
  mode_t mode = 0;
  gid_t group = 0;
};

base::Result<Standing> read_standing(const std::string& path) {
  Standing out;
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return out;
    return base::failure_errno(Fault::config, "cannot look at " + path, errno);
  }
  out.there = true;
  out.mode = facts.st_mode & 07777;
  out.group = facts.st_gid;
  base::Result<std::string> text = read_config_text(path);
  if (!text) return std::move(text).error();
  out.text = std::move(*text);
  return out;
}

// A folder that is not there yet is made in the nearest one that is.
base::Done may_write_in(std::string folder) {
  while (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    if (errno != ENOENT || folder == base::folder_of(folder)) {
      base::Error error =
          base::failure_errno(Fault::cannot_create, "cannot write in " + folder, errno);
      error.cure = "make it writable, or name another file: MAILBEARER_CONFIG=FILE";
      return error;
    }
    folder = base::folder_of(folder);
  }
  return base::done();
}

base::Done write_back(const std::string& path, const std::string& text, const Standing& before,
                      Profile profile) {
  const mode_t fresh = profile == Profile::system ? 0644 : 0600;
  base::KeepGroup keep;
  if (before.there) keep = before.group;
  return base::replace_file(path, text, before.there ? before.mode : fresh, base::Durable::yes,
                            keep);
}

}  // namespace

base::Done may_edit_file(const std::string& path, const std::vector<SectionEdit>& edits) {
  const base::Result<std::string> target = target_of(path);
  if (!target) return target.error();
  const base::Result<Standing> before = read_standing(*target);
  if (!before) return before.error();
  const base::Result<std::string> text = edit_text(before->text, edits, *target);
  if (!text) return text.error();
  if (before->there && *text == before->text) return base::done();
  return may_write_in(base::folder_of(*target));
}

base::Result<bool> edit_file(const std::string& path, const std::vector<SectionEdit>& edits,
                             Profile profile) {
  base::Result<std::string> target = target_of(path);
  if (!target) return std::move(target).error();
  const std::string folder = base::folder_of(*target);
  base::Done made = base::make_folders(folder, profile == Profile::system ? 0755 : 0700);
  if (!made) return std::move(made).error();
  base::Done sound = base::judge_folder(folder);
  if (!sound) return std::move(sound).error();
  const base::Result<base::Fd> lock = lock_folder(folder);
  if (!lock) return lock.error();
  const base::Result<Standing> before = read_standing(*target);
  if (!before) return before.error();
  base::Result<std::string> text = edit_text(before->text, edits, *target);
  if (!text) return std::move(text).error();
  if (before->there && *text == before->text) return false;
  base::Done written = write_back(*target, *text, *before, profile);
  if (!written) return std::move(written).error();
  return true;
}

}  // namespace account
