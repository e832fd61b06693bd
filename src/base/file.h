// file: descriptors and small files.
// Owns: Fd closes its descriptor. Every descriptor is opened close-on-exec.
// Errors: Fault::config for a file that others may change, Fault::io and Fault::cannot_create else.
// Trusts: nothing about a path; ownership is judged on the opened file, never on the name.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace base {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Opens a file for reading that may steer us (configuration, key, secret): a regular file, owned by
// root or our effective uid, writable by nobody else, and so all folders above it up to the root (a
// sticky folder of root, such as /tmp, is safe above a private one). Symlinks are followed, the
// opened file and the folders of its resolved path are judged. `private_too`: nobody else may read
// it either. Missing or unreadable file: the error's sys holds errno.
Result<Fd> open_trusted(const std::string& path, bool private_too = false);
// Whether a folder is ours (root's or our euid's) and closed to writing by others, all the way up.
Done judge_folder(const std::string& path);
// While one lives, a folder that its thread has found sound is not judged again for a second: one
// delivery opens several files in the same few folders. Without one every call judges anew.
class FoldersOnce {
 public:
  FoldersOnce();
  ~FoldersOnce();
  FoldersOnce(const FoldersOnce&) = delete;
  FoldersOnce& operator=(const FoldersOnce&) = delete;
  bool knows(const std::string& folder) const;
  void learn(std::vector<std::string> folders);

 private:
  struct Sound {
    std::string folder;
    std::int64_t at_ms;
  };
  FoldersOnce* outer_;
  std::vector<Sound> sound_{};
};
// Whether a folder is our euid's alone: nobody else may even look into it.
Done judge_private_folder(const std::string& path);
// Whether `path` may hold what lives for a session (/run/user/UID/mailbearer): private, absolute;
// made when the folder above it is ours.
bool runtime_folder_ready(const std::string& path);

// The whole of an open file, at most `limit` bytes (more is an error that names the path).
Result<std::string> read_all(int fd, std::size_t limit, const std::string& path);
Result<Secret> read_secret(int fd, std::size_t limit, const std::string& path);

// All of `bytes` to a descriptor, through short writes and EINTR.
Done write_all(int fd, std::string_view bytes, const std::string& path);

// no: what may be lost with the machine is not waited for.
enum class Durable : bool { no, yes };

// Replaces `path` as a whole: temporary file in the same folder, mode, write, fsync, rename, fsync
// of the folder. After an error the temporary file is gone, and the old one stands untouched unless
// it was the folder that could not be synced: then the new file stands, and a crash of the machine
// may bring the old one back. Who has to know which reads the file. A group: the new file's, too.
using KeepGroup = std::optional<gid_t>;
Done replace_file(const std::string& path, std::string_view bytes, unsigned mode,
                  Durable durable = Durable::yes, KeepGroup group = std::nullopt);

// Makes the folder and those above it that are missing, all with `mode`.
Done make_folders(const std::string& path, unsigned mode);

// Advisory lock on `path` (made 0600 when missing), held until the Fd closes. wait_ms 0: try once.
// Not had in time: Fault::unavailable.
Result<Fd> lock_file(const std::string& path, std::int64_t wait_ms);

// An unlinked temporary file: /var/tmp, else /tmp, else memory (a read-only container).
Result<Fd> temporary_file();

// Descriptors 0 to 2 that are closed are opened on /dev/null, before anything else is opened.
// Returns true when 0 was closed.
bool open_standard_descriptors();

std::string folder_of(const std::string& path);  // "/a/b" of "/a/b/c"; "." without a slash

}  // namespace base
