// Reading: one queued message, whole or without its content.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "queue/frame.h"
#include "queue/pack.h"
#include "queue/spool.h"
#include "queue/spool_file.h"

namespace queue {

namespace {

constexpr std::size_t piece_bytes = std::size_t{128} * 1024;

base::Error damaged(const std::string& what) {
  return base::failure(base::Fault::bad_message, "damaged spool file: " + what);
}

// The content against its checksum; what is small is kept in `small`.
base::Done verify(const Stored& stored, base::Scratch* small) {
  const int fd = stored.file.get();
  base::Result<std::string> head =
      read_at(fd, stored.places.content - frame_head_bytes, frame_head_bytes);
  if (!head) return std::move(head).error();
  if (*head != frame_head("BODY", stored.birth.content_bytes))
    return damaged("its content is not where it was");
  std::uint32_t crc = 0;
  for (std::uint64_t at = 0; at < stored.birth.content_bytes;) {
    const std::uint64_t left = stored.birth.content_bytes - at;
    base::Result<std::string> piece =
        read_at(fd, stored.places.content + at,
                static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_bytes)));
    if (!piece) return std::move(piece).error();
    if (piece->empty()) return damaged("its content is cut");
    crc = crc32c(*piece, crc);
    at += piece->size();
    if (small == nullptr) continue;
    base::Done kept = small->append(*piece);
    if (!kept) return kept;
  }
  base::Result<std::string> said = read_at(fd, stored.places.end - 4, 4);
  if (!said) return std::move(said).error();
  if (Unpack(*said).u32() != crc) return damaged("its content was changed");
  return base::done();
}

base::Result<base::Scratch> content_of(const Stored& stored) {
  base::Scratch content;
  const bool small = stored.birth.content_bytes <= base::Scratch::memory_limit_bytes;
  base::Done verified = verify(stored, small ? &content : nullptr);
  if (!verified) return std::move(verified).error();
  if (small) return content;
  base::Fd own(fcntl(stored.file.get(), F_DUPFD_CLOEXEC, 3));
  if (!own.open()) return base::failure_errno(base::Fault::os, "cannot duplicate a file", errno);
  return base::Scratch::part_of(std::move(own), stored.places.content, stored.birth.content_bytes);
}

}  // namespace

base::Result<Stored> Spool::load(const std::string& id) const {
  base::Result<base::Fd> file = open_own(messages_.get(), id, Access::write);
  if (!file) return std::move(file).error();
  Stored stored;
  stored.file = std::move(*file);
  const int fd = stored.file.get();
  base::Result<std::string> head = read_at(fd, 0, head_limit_bytes);
  if (!head) return std::move(head).error();
  base::Result<Birth> birth = read_birth(*head);
  if (!birth) return std::move(birth).error();
  stored.birth = std::move(*birth);
  if (stored.birth.id != id) return damaged("another's name");
  base::Result<Places> places = read_places(*head, stored.birth);
  if (!places) return std::move(places).error();
  stored.places = *places;
  base::Result<std::uint64_t> size = size_of(fd);
  if (!size) return std::move(size).error();
  if (*size < stored.places.notes || *size - stored.places.notes > part_limit_bytes)
    return damaged("its end is missing");
  base::Result<std::string> record =
      read_at(fd, stored.places.arrival,
              static_cast<std::size_t>(stored.birth.arrival_bytes) + record_overhead_bytes);
  if (!record) return std::move(record).error();
  base::Result<Arrival> arrival = read_arrival(*record, stored.birth);
  if (!arrival) return std::move(arrival).error();
  stored.arrival = std::move(*arrival);
  base::Result<std::string> rest =
      read_at(fd, stored.places.end, static_cast<std::size_t>(*size - stored.places.end));
  if (!rest) return std::move(rest).error();
  base::Result<std::uint64_t> notes = read_end_and_notes(*rest, stored.birth, stored.progress);
  if (!notes) return std::move(notes).error();
  stored.end = stored.places.end + *notes;
  return stored;
}

base::Result<mail::Submission> Spool::submission(const Stored& stored) {
  base::Result<base::Scratch> content = content_of(stored);
  if (!content) return std::move(content).error();
  base::Result<std::string> head = read_at(stored.file.get(), stored.places.content,
                                           static_cast<std::size_t>(stored.birth.header_bytes) + 2);
  if (!head) return std::move(head).error();
  base::Scratch header;
  base::Done kept = header.append(*head);
  if (!kept) return std::move(kept).error();
  base::Result<mail::Message> read = mail::split(std::move(header), mail::Extent::header_only);
  if (!read) return std::move(read).error();
  mail::Submission submission;
  submission.id = stored.birth.id;
  submission.peer.uid = stored.birth.uid;
  submission.peer.groups = stored.arrival.groups;
  submission.peer.over_network = stored.birth.over_network;
  submission.asked_account = stored.arrival.asked_account;
  submission.envelope = stored.arrival.envelope;
  submission.at = stored.birth.at_wall_s;
  submission.message.header = std::move(read->header);
  submission.message.bytes = std::move(*content);
  submission.message.body_offset = stored.birth.header_bytes + 2;
  submission.message.body_is_8bit = stored.birth.body_is_8bit;
  submission.message.body_has_nul = stored.birth.body_has_nul;
  submission.message.body_has_long_line = stored.birth.body_has_long_line;
  return submission;
}

}  // namespace queue
