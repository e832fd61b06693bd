#include "queue/notes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "queue/frame.h"

namespace queue {

namespace {

constexpr std::size_t text_limit_bytes = 512;  // of a sentence or a server's words
// Where servers name something new at each attempt, the file must not grow without end: after so
// many different replies the sentences stay, the servers' words are the old ones.
constexpr std::size_t replies_limit = 20'000;

void pack_indices(Pack& pack, const Indices& indices) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
  for (const std::uint32_t index : indices) {
    if (!ranges.empty() && ranges.back().first + ranges.back().second == index) {
      ++ranges.back().second;
    } else {
      ranges.emplace_back(index, 1);
    }
  }
  pack.u32(static_cast<std::uint32_t>(ranges.size()));
  for (const auto& [first, count] : ranges) pack.u32(first).u32(count);
}

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

void pack_error(Pack& pack, const base::Error& error) {
  pack.u8(static_cast<std::uint8_t>(error.fault)).u8(static_cast<std::uint8_t>(error.kind));
  for (const std::string* text :
       {&error.cause, &error.cure, &error.account, &error.said, &error.status})
    pack.text(base::clean(*text, text_limit_bytes));
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

// The same to a reader, whatever time or id the server put into its words.
bool alike(const base::Error& a, const base::Error& b) {
  return a.fault == b.fault && a.kind == b.kind && a.status == b.status && a.cause == b.cause;
}

std::uint32_t known_reply(const Progress& progress, std::size_t recipient,
                          const base::Error& error) {
  const std::uint32_t last = progress.recipients.at(recipient).reply;
  if (last < progress.replies.size() && alike(progress.replies[last], error)) return last;
  const std::size_t size = progress.replies.size();
  // What was said just before: to the recipient beside it, mostly.
  for (std::size_t back = 1; back <= std::min<std::size_t>(size, 4); ++back) {
    const base::Error& one = progress.replies[size - back];
    if (alike(one, error) && one.said == error.said) return static_cast<std::uint32_t>(size - back);
  }
  if (size < replies_limit) return no_reply;
  return static_cast<std::uint32_t>(size - 1);
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

// What was written is also what is remembered: there is one way to fold a note.
std::string folded(Progress& progress, std::string_view type, const Pack& pack) {
  read_note(progress, type, pack.bytes());
  return frame(type, pack.bytes());
}

}  // namespace

void pack_envelope(Pack& pack, const mail::Envelope& envelope) {
  pack.flag(envelope.sender_given).text(envelope.sender.local).text(envelope.sender.domain);
  pack.u8(static_cast<std::uint8_t>(envelope.body)).text(envelope.ret).text(envelope.envid);
  pack.flag(envelope.smtputf8).u32(static_cast<std::uint32_t>(envelope.recipients.size()));
  for (const mail::Recipient& one : envelope.recipients) {
    pack.text(one.mailbox.local).text(one.mailbox.domain).text(one.notify).text(one.orcpt);
  }
}

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

std::string note_resolution(Progress& progress, Resolution resolution) {
  Pack pack;
  pack.text(resolution.account);
  pack_envelope(pack, resolution.envelope);
  pack.text(resolution.header);
  progress.recipients.assign(resolution.envelope.recipients.size(), RecipientState{});
  progress.resolution = std::move(resolution);
  return frame("RSLV", pack.bytes());
}

std::string note_try(Progress& progress, QueueMs at_ms, const Indices& recipients) {
  const bool more = progress.count(State::trying) > 0;
  Pack pack;
  pack.i64(at_ms).flag(more);
  pack_indices(pack, recipients);
  return folded(progress, "TRY_", pack);
}

std::string note_verdicts(Progress& progress, const Verdicts& verdicts) {
  std::vector<base::Error> replies;
  const std::size_t before = progress.replies.size();
  // Neighbours with the same fate are one group.
  struct Group {
    State state;
    std::uint32_t reply;
    Indices recipients;
  };
  std::vector<Group> groups;
  Progress after;  // for known_reply: with the replies that this note adds
  after.replies = progress.replies;
  after.recipients = progress.recipients;
  for (const Verdicts::One& one : verdicts.each) {
    std::uint32_t reply = no_reply;
    if (one.state != State::delivered) {
      reply = known_reply(after, one.recipient, one.error);
      if (reply == no_reply) {
        reply = static_cast<std::uint32_t>(before + replies.size());
        replies.push_back(one.error);
        after.replies.push_back(one.error);
      }
    }
    const bool same =
        !groups.empty() && groups.back().state == one.state && groups.back().reply == reply;
    if (!same) groups.push_back({one.state, reply, {}});
    groups.back().recipients.push_back(one.recipient);
  }
  Pack pack;
  pack.i64(verdicts.at_ms).i64(verdicts.waited_ms).i64(verdicts.next_ms);
  pack.i64(verdicts.next_unknown_ms).u32(progress.attempts);
  pack.u32(verdicts.failures).u32(verdicts.unknowns);
  pack.u32(static_cast<std::uint32_t>(replies.size()));
  for (const base::Error& one : replies) pack_error(pack, one);
  pack.u32(static_cast<std::uint32_t>(groups.size()));
  for (const Group& group : groups) {
    pack.u8(static_cast<std::uint8_t>(group.state)).u32(group.reply);
    pack_indices(pack, group.recipients);
  }
  return folded(progress, "FATE", pack);
}

std::string note_hold(Progress& progress, const Holding& holding) {
  Pack pack;
  pack.i64(holding.at_ms).i64(holding.waited_ms).u8(static_cast<std::uint8_t>(holding.kind));
  pack.text(base::clean(holding.cause, text_limit_bytes));
  return folded(progress, "HOLD", pack);
}

std::string note_warned(Progress& progress) {
  return folded(progress, "WARN", Pack());
}

std::string note_told(Progress& progress, const Indices& recipients) {
  Pack pack;
  pack_indices(pack, recipients);
  return folded(progress, "TOLD", pack);
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
