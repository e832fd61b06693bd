// Writing: a message into the spool, a note behind it, and its end. docs/queue.md has the order.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/random.h"
#include "queue/pack.h"
#include "queue/spool.h"
#include "queue/spool_file.h"

namespace queue {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{128} * 1024;

// Small writes become few.
class Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {}
  base::Done put(std::string_view bytes) {
    if (waiting_.size() + bytes.size() > buffer_bytes) {
      base::Done flushed = flush();
      if (!flushed) return flushed;
    }
    if (bytes.size() > buffer_bytes / 2) return write(bytes);
    waiting_.append(bytes);
    return base::done();
  }
  base::Done flush() {
    base::Done written = write(waiting_);
    waiting_.clear();
    return written;
  }

 private:
  base::Done write(std::string_view bytes) {
    base::Done written = write_at(fd_, bytes, at_);
    at_ += bytes.size();
    return written;
  }
  int fd_;
  std::uint64_t at_ = 0;
  std::string waiting_{};
};

base::Done write_message(int fd, const mail::Submission& submission, Birth& birth) {
  const mail::Message& message = submission.message;
  const std::string header = message.header.text() + "\r\n";
  birth.header_bytes = header.size() - 2;
  birth.content_bytes = header.size() + message.body_bytes();
  Arrival arrival;
  arrival.asked_account = submission.asked_account;
  arrival.groups = submission.peer.groups;
  arrival.envelope = submission.envelope;
  Writer writer(fd);
  base::Done step = writer.put(front_of(birth, arrival));
  if (step) step = writer.put(header);
  std::uint32_t crc = crc32c(header);
  if (step) {
    step = message.bytes.each_piece(message.body_offset, [&](std::string_view piece) {
      crc = crc32c(piece, crc);
      return writer.put(piece);
    });
  }
  if (step) step = writer.put(back_of(birth, crc));
  if (step) step = writer.flush();
  if (step) step = sync_file(fd, What::all);
  return step;
}

}  // namespace

// A file without a name vanishes with its writer. Where the file system has none, it has a name in
// new/ and is locked while it is written.
base::Result<base::Fd> Spool::create(std::string& temporary) const {
  base::Fd file(openat(messages_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.open()) return file;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
    return spool_error("cannot write the mail queue", errno);
  temporary = base::random_hex(16);
  file = base::Fd(openat(new_.get(), temporary.c_str(),
                         O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.open()) return spool_error("cannot write the mail queue", errno);
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return spool_error("cannot lock a file of the mail queue", errno);
  return file;
}

// Somebody has the name already: the same submission, come again, or a stranger's.
base::Result<Spool::Committed> Spool::known(const Birth& birth) const {
  base::Result<base::Fd> file = open_own(messages_.get(), birth.id, Access::read);
  if (!file) return std::move(file).error();
  base::Result<std::string> head = read_at(file->get(), 0, head_limit_bytes);
  if (!head) return std::move(head).error();
  base::Result<Birth> there = read_birth(*head);
  if (!there) return std::move(there).error();
  if (there->uid != birth.uid)
    return base::failure(base::Fault::not_permitted, "this message id is another user's");
  base::Done synced = group_->sync();  // it may be there for an instant only
  if (!synced) return std::move(synced).error();
  return Committed::repeated;
}

base::Result<Spool::Committed> Spool::publish(const base::Fd& file, const std::string& temporary,
                                              const Birth& birth) const {
  int linked = 0;
  if (temporary.empty()) {
    const std::string name = "/proc/self/fd/" + std::to_string(file.get());
    linked = linkat(AT_FDCWD, name.c_str(), messages_.get(), birth.id.c_str(), AT_SYMLINK_FOLLOW);
  } else {
    linked = renameat2(new_.get(), temporary.c_str(), messages_.get(), birth.id.c_str(),
                       RENAME_NOREPLACE);
  }
  if (linked != 0) {
    if (errno == EEXIST) return known(birth);
    return spool_error("cannot write the mail queue", errno);
  }
  base::Done synced = group_->sync();
  if (synced) return Committed::anew;
  unlinkat(messages_.get(), birth.id.c_str(), 0);
  return std::move(synced).error();
}

base::Result<Spool::Committed> Spool::commit(const mail::Submission& submission,
                                             Birth birth) const {
  birth.over_network = submission.peer.over_network;
  birth.at_wall_s = submission.at;
  birth.body_is_8bit = submission.message.body_is_8bit;
  birth.body_has_nul = submission.message.body_has_nul;
  birth.body_has_long_line = submission.message.body_has_long_line;
  std::string temporary;
  base::Result<base::Fd> file = create(temporary);
  if (!file) return std::move(file).error();
  base::Done written = write_message(file->get(), submission, birth);
  base::Result<Committed> committed =
      written ? publish(*file, temporary, birth) : base::Result<Committed>(written.error());
  // A repeated one, too, has left its copy there.
  const bool lies_there = !committed || *committed == Committed::repeated;
  if (!temporary.empty() && lies_there) unlinkat(new_.get(), temporary.c_str(), 0);
  return committed;
}

base::Done Spool::add_note(Stored& stored, std::string_view note, std::size_t more) {
  const int fd = stored.file.get();
  base::Result<std::uint64_t> size = size_of(fd);
  if (!size) return std::move(size).error();
  if (*size < stored.end)
    return base::failure(base::Fault::io, "a queued message was cut short by somebody else");
  const auto end = static_cast<off_t>(stored.end);
  // What an earlier writer could not finish.
  if (*size > stored.end && ftruncate(fd, end) != 0)
    return spool_error("cannot write the mail queue", errno);
  if (more > 0) {
    // Only a kindness: where it cannot be had, the note itself will tell.
    const auto wanted = static_cast<off_t>(note.size() + more);
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, end, wanted) != 0 &&
        (errno == ENOSPC || errno == EDQUOT)) {
      return spool_error("cannot write the mail queue", errno);
    }
  }
  base::Done written = write_at(fd, note, stored.end);
  if (written) written = sync_file(fd, What::data);
  if (!written) {
    ftruncate(fd, end) == 0 ? void() : void();  // else it is a cut note, which nobody counts
    return written;
  }
  stored.end += note.size();
  return base::done();
}

base::Done Spool::remove(const std::string& id) const {
  if (unlinkat(messages_.get(), id.c_str(), 0) != 0 && errno != ENOENT)
    return spool_error("cannot remove a message from the mail queue", errno);
  return group_->sync();
}

}  // namespace queue
