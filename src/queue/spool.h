// spool: the folder of queued messages. docs/queue.md has the states and the commit point.
//   DIR/lock      one agent at a time (flock)
//   DIR/clock     the queue's own time
//   DIR/messages/ID  one file a message: what came in, its END, and notes behind it
//   DIR/new/      only on file systems without O_TMPFILE: what is being written
//   DIR/damaged/  files that cannot be read, kept for a person
//   DIR/past      ids of the last 24 h, so that one that comes again is known
//   DIR/pace      what was sent in the last day
// commit(): the file is written without a name, synced, linked, and its folder synced, before it
// returns: from then on the message is ours. Callers that commit at the same time share one sync of
// the folder. Owns: the folder 0700, ours alone. Thread-safe: one thread a message at a time.
// Errors: Fault::io, Fault::cannot_create, Fault::config (owner, mode), Fault::unavailable (another
// agent). Trusts: no file; each is opened without following links and judged before it is read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "mail/submission.h"
#include "queue/clock.h"
#include "queue/format.h"
#include "queue/progress.h"
#include "queue/sync_group.h"

namespace queue {

// A message as it lies in the spool, open.
struct Stored {
  Birth birth{};
  Arrival arrival{};
  Progress progress{};
  Places places{};
  std::uint64_t end = 0;  // behind the last whole note
  base::Fd file{};
};

// What a scan tells of one file: enough to schedule it. The progress is as its writer left it.
struct Glance {
  Birth birth{};
  Progress progress{};
};

class Spool {
 public:
  static base::Result<Spool> open(const std::string& folder);
  Spool(Spool&&) = default;

  enum class Committed : std::uint8_t { anew, repeated };
  // repeated: the same id of the same uid lies here already. Fault::not_permitted: of another uid.
  // birth.id, account, uid, bounce, at_ms are the caller's; the rest is the submission's.
  base::Result<Committed> commit(const mail::Submission& submission, Birth birth) const;
  // Adds a note (format.h) to a message and syncs it. `stored.end` moves on. Room for `more` bytes
  // is kept behind it, where the file system can, so that the result of an attempt has its place.
  static base::Done add_note(Stored& stored, std::string_view note, std::size_t more = 0);
  // Everything but the content. Fault::bad_message: damaged; Fault::config: of a newer version.
  base::Result<Stored> load(const std::string& id) const;
  // The message as it came in, its checksum verified.
  static base::Result<mail::Submission> submission(const Stored& stored);
  // The file's name goes, and the folder is synced with those of others.
  base::Done remove(const std::string& id) const;

  struct Scan {
    std::size_t messages = 0;
    std::size_t damaged = 0;     // moved to damaged/
    std::size_t newer = 0;       // written by a later version, left alone
    std::size_t unreadable = 0;  // by an error of the disk, left alone
  };
  using Take = std::function<void(Glance glance)>;
  using Damaged = std::function<void(const std::string& name, const base::Error& why)>;
  base::Result<Scan> scan(const Take& take, const Damaged& damaged) const;
  // Out of the way, and kept.
  base::Done quarantine(const std::string& name) const;
  std::size_t damaged_count() const;
  // Removes what a writer left behind more than 36 h ago. How many.
  std::size_t remove_debris() const;

  struct Room {
    std::uint64_t free_bytes = 0;
    std::uint64_t free_files = 0;
  };
  base::Result<Room> room() const;
  std::string path(const char* name) const { return folder_ + "/" + name; }
  std::uint64_t folder_syncs() const { return group_->syncs(); }

 private:
  Spool() = default;
  base::Result<Committed> publish(const base::Fd& file, const std::string& temporary,
                                  const Birth& birth) const;
  base::Result<base::Fd> create(std::string& temporary) const;
  base::Result<Committed> known(const Birth& birth) const;
  std::string folder_{};
  base::Fd lock_{};
  base::Fd messages_{};
  base::Fd new_{};
  base::Fd damaged_{};
  std::unique_ptr<SyncGroup> group_{};
};

}  // namespace queue
