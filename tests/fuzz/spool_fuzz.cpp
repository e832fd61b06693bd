// libFuzzer target: reading a spool file. Whatever the bytes: no crash, no more memory than they
// are worth, no control byte in an address; and what was folded from notes is written and read back
// as the same. The fuzzer cannot guess checksums: those of the records it makes are put right
// first.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "queue/format.h"
#include "queue/frame.h"
#include "queue/notes.h"
#include "queue/pack.h"

namespace {

void must(bool holds) {
  if (!holds) __builtin_trap();
}

void check_envelope(const mail::Envelope& envelope) {
  must(!base::has_control(envelope.sender.local) && !base::has_control(envelope.sender.domain));
  for (const mail::Recipient& one : envelope.recipients)
    must(!base::has_control(one.mailbox.local) && !base::has_control(one.mailbox.domain));
}

void read_as_it_is(std::string_view bytes) {
  const base::Result<queue::Birth> birth = queue::read_birth(bytes);
  if (!birth) return;
  const base::Result<queue::Places> places = queue::read_places(bytes, *birth);
  if (!places || places->notes > bytes.size()) return;
  const base::Result<queue::Arrival> arrival =
      queue::read_arrival(bytes.substr(static_cast<std::size_t>(places->arrival)), *birth);
  if (arrival) check_envelope(arrival->envelope);
  queue::Progress progress;
  queue::read_end_and_notes(bytes.substr(static_cast<std::size_t>(places->end)), *birth, progress)
      .ok();
}

// The input as notes: a letter that names the kind, two bytes of length, the payload.
std::string notes_of(std::string_view bytes) {
  static constexpr std::string_view types[] = {"RSLV", "TRY_", "FATE", "HOLD",
                                               "WARN", "TOLD", "skip", "Else"};
  std::string out;
  while (bytes.size() >= 3) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[1]) |
                                                 static_cast<unsigned char>(bytes[2]) << 8);
    const std::string_view payload = bytes.substr(3, length);
    out += queue::frame(types[static_cast<unsigned char>(bytes[0]) % 8], payload);
    bytes.remove_prefix(3 + payload.size());
  }
  return out;
}

void check_progress(queue::Progress progress) {
  for (std::size_t i = 0; i < progress.recipients.size(); ++i) progress.reply_to(i);
  progress.due_ms();
  queue::interrupt(progress);
  must(progress.count(queue::State::trying) == 0);
  if (progress.resolution) check_envelope(progress.resolution->envelope);
}

void read_as_notes(std::string_view bytes) {
  queue::Birth birth;
  birth.id = std::string(32, 'a');
  birth.content_bytes = 10;
  birth.recipients = 3;
  const std::string file = queue::back_of(birth, 0).substr(4) + notes_of(bytes);
  queue::Progress progress;
  const base::Result<std::uint64_t> end = queue::read_end_and_notes(file, birth, progress);
  if (!end) return;
  must(*end <= file.size());
  check_progress(progress);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_it_is(bytes);
  read_as_notes(bytes);
  // A HEAD that is whole, with this payload.
  read_as_it_is(queue::frame("HEAD", bytes));
  return 0;
}
