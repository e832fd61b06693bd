// mime_split: a message taken apart for a service that takes large attachments one by one: the
// message without them, and each of them decoded. Source: RFC 2045, 2046, 2183, 2231; facts/
// providers.md 3.5. What stays keeps its bytes. Taken out are the largest attachments, as few as
// make the rest fit, and those that stand behind the first of them where nothing but their place
// would be lost, so that their order stays. Never taken: texts without a file name or the
// disposition "attachment", the root of a multipart/related, the branches of a
// multipart/alternative; what stands inside a message/rfc822 goes with it. A multipart that would
// be left empty gets an empty text. Limits: parts_limit parts; name 255 octets. Errors:
// Fault::bad_message: signed or encrypted, what is large is no attachment, too many parts,
// structure unclear. Done by the helper with GMime.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/scratch.h"

namespace mail {

struct SplitPart {
  std::string name{};        // UTF-8, never empty, without slashes and control bytes
  std::string type{};        // "image/png"
  std::string content_id{};  // without angle brackets
  bool is_inline = false;    // shown inside the text, which names its content id
  std::uint64_t offset = 0;  // of its bytes, decoded, in Split::bytes
  std::uint64_t size = 0;
};

struct Split {
  base::Scratch bytes{};  // the rest of the message, then the parts
  std::uint64_t rest_size = 0;
  std::vector<SplitPart> parts{};  // in the order of the message
};

struct SplitLimits {
  std::uint64_t rest_bytes = 0;
  std::uint64_t part_bytes = 0;
  std::size_t parts = 0;
};

// `whole` has CRLF line ends.
base::Result<Split> split_with_gmime(const base::Scratch& whole, const SplitLimits& limits);

}  // namespace mail
