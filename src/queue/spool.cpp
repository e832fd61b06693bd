#include "queue/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "queue/spool_file.h"

namespace queue {

namespace {

constexpr std::int64_t debris_age_s = std::int64_t{36} * 3600;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using Listing = std::unique_ptr<DIR, CloseFolder>;

// From the beginning, whoever read it before.
Listing listing_of(int folder) {
  const int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return nullptr;
  DIR* listing = fdopendir(own);
  if (listing == nullptr) close(own);
  return Listing(listing);
}

// Empty: no more. errno tells an end from an error.
std::string next_name(DIR* listing) {
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(listing);
    if (entry == nullptr) return {};
    std::string name = entry->d_name;
    if (name != "." && name != "..") return name;
  }
}

// HEAD, END and notes; the content is not read.
base::Result<Glance> glance_at(int folder, const std::string& name) {
  if (!is_message_id(name))
    return base::failure(base::Fault::bad_message, "damaged spool file: not a name of ours");
  base::Result<base::Fd> file = open_own(folder, name, Access::read);
  if (!file) return std::move(file).error();
  base::Result<std::uint64_t> size = size_of(file->get());
  if (!size) return std::move(size).error();
  base::Result<std::string> head = read_at(file->get(), 0, head_limit_bytes);
  if (!head) return std::move(head).error();
  Glance glance;
  base::Result<Birth> birth = read_birth(*head);
  if (!birth) return std::move(birth).error();
  glance.birth = std::move(*birth);
  if (glance.birth.id != name)
    return base::failure(base::Fault::bad_message, "damaged spool file: another's name");
  base::Result<Places> places = read_places(*head, glance.birth);
  if (!places) return std::move(places).error();
  if (*size < places->notes || *size - places->notes > part_limit_bytes)
    return base::failure(base::Fault::bad_message, "damaged spool file: its end is missing");
  std::string rest;
  if (*size <= head->size()) {
    rest = head->substr(static_cast<std::size_t>(places->end));
  } else {
    base::Result<std::string> read =
        read_at(file->get(), places->end, static_cast<std::size_t>(*size - places->end));
    if (!read) return std::move(read).error();
    rest = std::move(*read);
  }
  const base::Result<std::uint64_t> notes = read_end_and_notes(rest, glance.birth, glance.progress);
  if (!notes) return notes.error();
  return glance;
}

}  // namespace

namespace {

// What a killed writer of a small file (clock, accounts) left: we hold the lock, so nobody writes.
void remove_half_written(const std::string& folder) {
  const base::Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.open()) return;
  const Listing listing = listing_of(fd.get());
  if (!listing) return;
  for (std::string name = next_name(listing.get()); !name.empty();
       name = next_name(listing.get())) {
    if (name.ends_with(".tmp")) unlinkat(fd.get(), name.c_str(), 0);
  }
}

}  // namespace

base::Result<Spool> Spool::open(const std::string& folder) {
  base::Done made = base::make_folders(folder, 0700);
  if (!made) return std::move(made).error();
  base::Done judged = base::judge_private_folder(folder);
  if (!judged) return std::move(judged).error();
  Spool spool;
  spool.folder_ = folder;
  base::Result<base::Fd> lock = base::lock_file(spool.path("lock"), 0);
  if (!lock) {
    if (lock.error().fault != base::Fault::unavailable) return std::move(lock).error();
    return base::failure(base::Fault::config, "another agent uses the mail queue in " + folder,
                         "stop it first: systemctl stop mailbearer");
  }
  spool.lock_ = std::move(*lock);
  for (const auto& [name, into] : {std::pair{"messages", &spool.messages_},
                                   {"new", &spool.new_},
                                   {"damaged", &spool.damaged_}}) {
    base::Result<base::Fd> opened = open_folder(AT_FDCWD, spool.path(name));
    if (!opened) return std::move(opened).error();
    *into = std::move(*opened);
  }
  remove_half_written(folder);
  spool.group_ = std::make_unique<SyncGroup>(spool.messages_.get());
  return spool;
}

base::Result<Spool::Scan> Spool::scan(const Take& take, const Damaged& damaged) const {
  const Listing listing = listing_of(messages_.get());
  if (!listing) return spool_error("cannot read the spool folder", errno);
  Scan scan;
  for (;;) {
    const std::string name = next_name(listing.get());
    if (name.empty()) break;
    base::Result<Glance> glance = glance_at(messages_.get(), name);
    if (glance) {
      ++scan.messages;
      take(std::move(*glance));
    } else if (glance.error().fault == base::Fault::config) {
      ++scan.newer;
    } else if (glance.error().fault == base::Fault::bad_message) {
      if (quarantine(name)) ++scan.damaged;
      damaged(base::clean(name, 64), glance.error());
    } else {
      ++scan.unreadable;
      damaged(base::clean(name, 64), glance.error());
    }
  }
  if (errno != 0) return spool_error("cannot read the spool folder", errno);
  return scan;
}

base::Done Spool::quarantine(const std::string& name) const {
  // Another may lie there under the same name.
  const std::string aside = name.substr(0, 200) + "." + base::random_hex(4);
  if (renameat(messages_.get(), name.c_str(), damaged_.get(), aside.c_str()) == 0)
    return base::done();
  return spool_error("cannot move a damaged message aside", errno);
}

std::size_t Spool::damaged_count() const {
  const Listing listing = listing_of(damaged_.get());
  std::size_t count = 0;
  while (listing && !next_name(listing.get()).empty()) ++count;
  return count;
}

std::size_t Spool::remove_debris() const {
  const Listing listing = listing_of(new_.get());
  if (!listing) return 0;
  std::size_t removed = 0;
  for (;;) {
    const std::string name = next_name(listing.get());
    if (name.empty()) return removed;
    struct stat facts {};
    if (fstatat(new_.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
    // Old by its own time stamp, which a jump of the clock may falsify: a writer that lives holds
    // its file locked.
    if (base::wall_seconds() - facts.st_mtime < debris_age_s) continue;
    const base::Fd file(
        openat(new_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.open() && flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (unlinkat(new_.get(), name.c_str(), 0) == 0) ++removed;
  }
}

base::Result<Spool::Room> Spool::room() const {
  struct statvfs facts {};
  if (fstatvfs(messages_.get(), &facts) != 0)
    return spool_error("cannot ask for the room of the mail queue", errno);
  Room room;
  room.free_bytes = std::uint64_t{facts.f_bavail} * facts.f_frsize;
  // Some file systems do not count files.
  room.free_files = facts.f_files == 0 ? UINT64_MAX : facts.f_favail;
  return room;
}

}  // namespace queue
