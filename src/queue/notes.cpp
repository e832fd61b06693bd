#include "queue/notes.h"

#include <algorithm>
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

void pack_error(Pack& pack, const base::Error& error) {
  pack.u8(static_cast<std::uint8_t>(error.fault)).u8(static_cast<std::uint8_t>(error.kind));
  for (const std::string* text :
       {&error.cause, &error.cure, &error.account, &error.said, &error.status})
    pack.text(base::clean(*text, text_limit_bytes));
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

}  // namespace queue
