// Reading notes: nothing of them is trusted.
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "queue/notes.h"

namespace queue {

namespace {

constexpr std::size_t text_limit_bytes = 512;  // of a sentence or a server's words

// Rising, and none beyond `size`.
Indices unpack_indices(Unpack& unpack, std::size_t size) {
  Indices out;
  const std::uint32_t ranges = unpack.count(8);
  for (std::uint32_t i = 0; i < ranges && unpack.ok(); ++i) {
    const std::uint64_t first = unpack.u32();
    const std::uint64_t count = unpack.u32();
    if (count == 0 || first + count > size || (!out.empty() && first <= out.back())) {
      unpack.fail();
      return {};
    }
    for (std::uint64_t index = first; index < first + count; ++index)
      out.push_back(static_cast<std::uint32_t>(index));
  }
  return out;
}

base::Error unpack_error(Unpack& unpack) {
  base::Error error;
  const std::uint8_t fault = unpack.u8();
  const std::uint8_t kind = unpack.u8();
  if (fault > static_cast<std::uint8_t>(base::Fault::sign_in_needed) ||
      kind > static_cast<std::uint8_t>(base::FaultClass::hold))
    unpack.fail();
  error.fault = static_cast<base::Fault>(fault);
  error.kind = static_cast<base::FaultClass>(kind);
  for (std::string* text : {&error.cause, &error.cure, &error.account, &error.said, &error.status})
    *text = base::clean(unpack.text(), text_limit_bytes);
  return error;
}

bool read_resolution(Progress& progress, Unpack& unpack) {
  Resolution resolution;
  resolution.account = unpack.text();
  resolution.envelope = unpack_envelope(unpack);
  resolution.header = unpack.text();
  if (!unpack.done() || progress.resolution || progress.attempts > 0) return false;
  progress.recipients.assign(resolution.envelope.recipients.size(), RecipientState{});
  progress.resolution = std::move(resolution);
  return true;
}

bool read_try(Progress& progress, Unpack& unpack) {
  const QueueMs at_ms = unpack.i64();
  const bool more = unpack.flag();  // of the attempt that the note before began
  const Indices recipients = unpack_indices(unpack, progress.recipients.size());
  if (!unpack.done()) return false;
  if (!more) {
    // What an earlier attempt left without a fate was lost with its process.
    if (progress.count(State::trying) > 0) ++progress.unknowns;
    for (RecipientState& one : progress.recipients) {
      if (one.state == State::trying) one.state = State::unknown;
    }
    ++progress.attempts;
  }
  progress.at_ms = at_ms;
  for (const std::uint32_t index : recipients) progress.recipients[index].state = State::trying;
  return true;
}

bool read_verdicts(Progress& progress, Unpack& unpack) {
  const QueueMs at_ms = unpack.i64();
  const QueueMs waited_ms = unpack.i64();
  const QueueMs next_ms = unpack.i64();
  const QueueMs next_unknown_ms = unpack.i64();
  const std::uint32_t attempts = unpack.u32();
  const std::uint32_t failures = unpack.u32();
  const std::uint32_t unknowns = unpack.u32();
  std::vector<base::Error> replies;
  const std::uint32_t count = unpack.count(22);
  for (std::uint32_t i = 0; i < count && unpack.ok(); ++i) replies.push_back(unpack_error(unpack));
  progress.replies.insert(progress.replies.end(), replies.begin(), replies.end());
  const std::uint32_t groups = unpack.count(9);
  for (std::uint32_t i = 0; i < groups && unpack.ok(); ++i) {
    const std::uint8_t state = unpack.u8();
    const std::uint32_t reply = unpack.u32();
    const Indices recipients = unpack_indices(unpack, progress.recipients.size());
    if (state > static_cast<std::uint8_t>(State::refused)) return false;
    if (reply != no_reply && reply >= progress.replies.size()) return false;
    for (const std::uint32_t index : recipients) {
      progress.recipients[index].state = static_cast<State>(state);
      progress.recipients[index].reply = reply;
    }
  }
  progress.at_ms = at_ms;
  progress.waited_ms = waited_ms;
  progress.next_ms = next_ms;
  progress.next_unknown_ms = next_unknown_ms;
  progress.attempts = attempts;
  progress.failures = failures;
  progress.unknowns = unknowns;
  return unpack.done();
}

bool read_hold(Progress& progress, Unpack& unpack) {
  const QueueMs at_ms = unpack.i64();
  const QueueMs waited_ms = unpack.i64();
  const std::uint8_t kind = unpack.u8();
  const std::string cause = base::clean(unpack.text(), text_limit_bytes);
  if (!unpack.done() || kind > static_cast<std::uint8_t>(Hold::undeliverable)) return false;
  progress.at_ms = at_ms;
  progress.waited_ms = waited_ms;
  progress.hold = static_cast<Hold>(kind);
  progress.held_at_ms = at_ms;
  progress.hold_cause = cause;
  if (progress.hold == Hold::none) {
    // A person said so: it is due, and what was unknown has been looked at.
    progress.next_ms = progress.next_unknown_ms = at_ms;
    progress.unknowns = 0;
  }
  return true;
}

bool read_told(Progress& progress, Unpack& unpack) {
  const Indices recipients = unpack_indices(unpack, progress.recipients.size());
  if (!unpack.done()) return false;
  for (const std::uint32_t index : recipients) progress.recipients[index].told = true;
  return true;
}

bool read_warned(Progress& progress, Unpack& unpack) {
  progress.warned = true;
  return unpack.done();
}

struct Kind {
  std::string_view type;
  bool (*read)(Progress& progress, Unpack& unpack);
};
constexpr std::array<Kind, 6> kinds = {{{"RSLV", read_resolution},
                                        {"TRY_", read_try},
                                        {"FATE", read_verdicts},
                                        {"HOLD", read_hold},
                                        {"WARN", read_warned},
                                        {"TOLD", read_told}}};

}  // namespace

mail::Envelope unpack_envelope(Unpack& unpack) {
  // What once was an address holds no control byte; one that does now never gets to the wire.
  const auto clean_text = [&unpack] {
    std::string text = unpack.text();
    if (base::has_control(text)) unpack.fail();
    return text;
  };
  mail::Envelope envelope;
  envelope.sender_given = unpack.flag();
  envelope.sender.local = clean_text();
  envelope.sender.domain = clean_text();
  const std::uint8_t body = unpack.u8();
  if (body > static_cast<std::uint8_t>(mail::Body::eight_bit)) unpack.fail();
  envelope.body = static_cast<mail::Body>(body);
  envelope.ret = clean_text();
  envelope.envid = clean_text();
  envelope.smtputf8 = unpack.flag();
  const std::uint32_t count = unpack.count(16);
  envelope.recipients.reserve(count);
  for (std::uint32_t i = 0; i < count && unpack.ok(); ++i) {
    mail::Recipient one;
    one.mailbox.local = clean_text();
    one.mailbox.domain = clean_text();
    one.notify = clean_text();
    one.orcpt = clean_text();
    envelope.recipients.push_back(std::move(one));
  }
  return envelope;
}

bool is_note(std::string_view type) {
  return std::any_of(kinds.begin(), kinds.end(),
                     [&](const Kind& kind) { return kind.type == type; });
}

bool read_note(Progress& progress, std::string_view type, std::string_view payload) {
  for (const Kind& kind : kinds) {
    if (kind.type != type) continue;
    Unpack unpack(payload);
    return kind.read(progress, unpack);
  }
  return false;
}

}  // namespace queue
