#include "queue/format.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "queue/frame.h"
#include "queue/notes.h"
#include "queue/pack.h"
#include "queue/retry.h"

namespace queue {

namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t id_digits = 32;
constexpr std::size_t end_payload_bytes = 12;

base::Error damaged(const std::string& what) {
  return base::failure(base::Fault::bad_message, "damaged spool file: " + what);
}

base::Error newer() {
  return base::failure(base::Fault::config, "spool file of a later version of Mailbearer",
                       "install that version again, or wait until it is");
}

std::string packed(const Birth& birth) {
  Pack pack;
  pack.u8(version).text(birth.id).text(birth.account).u32(birth.uid);
  pack.flag(birth.over_network).flag(birth.bounce).i64(birth.at_ms).i64(birth.at_wall_s);
  pack.u64(birth.header_bytes).u64(birth.content_bytes).u64(birth.arrival_bytes);
  pack.u32(birth.recipients).flag(birth.body_is_8bit).flag(birth.body_has_nul);
  pack.flag(birth.body_has_long_line);
  return pack.bytes();
}

bool sound(const Birth& birth) {
  const bool sizes =
      birth.header_bytes + 2 <= birth.content_bytes && birth.header_bytes < part_limit_bytes &&
      birth.arrival_bytes < part_limit_bytes && birth.content_bytes < (std::uint64_t{1} << 48);
  return sizes && is_message_id(birth.id) && !base::has_control(birth.account) &&
         birth.recipients > 0 && birth.at_ms >= 0;
}

// A record of another name: for who comes later, or a fault.
base::Error unknown_record(std::string_view type) {
  const bool named = std::all_of(type.begin(), type.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  });
  return named ? newer() : damaged("a record without a name");
}

}  // namespace

bool is_message_id(std::string_view text) {
  return text.size() == id_digits && std::all_of(text.begin(), text.end(), [](char c) {
           return base::is_digit(c) || (c >= 'a' && c <= 'f');
         });
}

std::string front_of(Birth& birth, const Arrival& arrival) {
  Pack pack;
  pack.text(arrival.asked_account).u32(static_cast<std::uint32_t>(arrival.groups.size()));
  for (const gid_t group : arrival.groups) pack.u32(group);
  pack_envelope(pack, arrival.envelope);
  birth.arrival_bytes = pack.bytes().size();
  birth.recipients = static_cast<std::uint32_t>(arrival.envelope.recipients.size());
  return frame("HEAD", packed(birth)) + frame("ARRV", pack.bytes()) +
         frame_head("BODY", birth.content_bytes);
}

std::string back_of(const Birth& birth, std::uint32_t content_crc) {
  return frame_tail(content_crc) +
         frame("END_", Pack().u64(birth.content_bytes).u32(birth.recipients).bytes());
}

base::Result<Birth> read_birth(std::string_view bytes) {
  Frame head;
  if (read_frame(bytes.substr(0, head_limit_bytes), head) != Reading::whole)
    return damaged("its head cannot be read");
  if (head.type != "HEAD") return damaged("it is no message");
  Unpack unpack(head.payload);
  const std::uint8_t its_version = unpack.u8();
  if (its_version > version) return newer();
  Birth birth;
  birth.id = unpack.text();
  birth.account = unpack.text();
  birth.uid = unpack.u32();
  birth.over_network = unpack.flag();
  birth.bounce = unpack.flag();
  birth.at_ms = unpack.i64();
  birth.at_wall_s = unpack.i64();
  birth.header_bytes = unpack.u64();
  birth.content_bytes = unpack.u64();
  birth.arrival_bytes = unpack.u64();
  birth.recipients = unpack.u32();
  birth.body_is_8bit = unpack.flag();
  birth.body_has_nul = unpack.flag();
  birth.body_has_long_line = unpack.flag();
  if (!unpack.done() || its_version == 0 || !sound(birth))
    return damaged("its head makes no sense");
  return birth;
}

base::Result<Places> read_places(std::string_view bytes, const Birth& birth) {
  Frame head;
  if (read_frame(bytes.substr(0, head_limit_bytes), head) != Reading::whole)
    return damaged("its head cannot be read");
  Places places;
  places.arrival = head.size;
  places.content = places.arrival + record_overhead_bytes + birth.arrival_bytes + frame_head_bytes;
  places.end = places.content + birth.content_bytes + 4;
  places.notes = places.end + record_overhead_bytes + end_payload_bytes;
  return places;
}

base::Result<Arrival> read_arrival(std::string_view record, const Birth& birth) {
  Frame frame;
  if (read_frame(record, frame) != Reading::whole || frame.type != "ARRV")
    return damaged("its envelope cannot be read");
  Unpack unpack(frame.payload);
  Arrival arrival;
  arrival.asked_account = unpack.text();
  const std::uint32_t groups = unpack.count(4);
  for (std::uint32_t i = 0; i < groups; ++i) arrival.groups.push_back(unpack.u32());
  arrival.envelope = unpack_envelope(unpack);
  if (!unpack.done() || arrival.envelope.recipients.size() != birth.recipients)
    return damaged("its envelope makes no sense");
  return arrival;
}

base::Result<std::uint64_t> read_end_and_notes(std::string_view bytes, const Birth& birth,
                                               Progress& progress) {
  Frame one;
  if (read_frame(bytes, one) != Reading::whole || one.type != "END_")
    return damaged("its end is missing");
  Unpack end(one.payload);
  if (end.u64() != birth.content_bytes || end.u32() != birth.recipients || !end.done())
    return damaged("its end is another's");
  progress.recipients.assign(birth.recipients, RecipientState{});
  progress.at_ms = progress.next_ms = progress.next_unknown_ms = birth.at_ms;
  std::size_t at = one.size;
  while (at < bytes.size()) {
    const Reading reading = read_frame(bytes.substr(at), one);
    if (reading == Reading::cut) break;
    if (reading == Reading::damaged) return damaged("a note cannot be read");
    const bool may_skip = one.type[0] >= 'a' && one.type[0] <= 'z';
    if (!may_skip && !is_note(one.type)) return unknown_record(one.type);
    if (!may_skip && !read_note(progress, one.type, one.payload))
      return damaged("a note makes no sense");
    at += one.size;
  }
  return static_cast<std::uint64_t>(at);
}

void interrupt(Progress& progress) {
  if (progress.count(State::trying) == 0) return;
  for (RecipientState& one : progress.recipients) {
    if (one.state == State::trying) one.state = State::unknown;
  }
  ++progress.unknowns;
  const std::optional<std::int64_t> pause = pause_after_unknown(progress.unknowns);
  progress.next_unknown_ms = progress.at_ms + pause.value_or(0) * 1000;
  if (!pause && progress.hold == Hold::none) {
    progress.hold = Hold::unknown;
    progress.held_at_ms = progress.at_ms;
    progress.hold_cause = "its final reply was lost too often";
  }
}

}  // namespace queue
