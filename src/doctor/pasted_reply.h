// pasted_reply: what a server said, found in what a person pasted: the reply alone, one line of
// ours or of another mail program, a few lines of a dialogue or a log, an enhanced status or an
// AADSTS number alone, the JSON of a token endpoint or of Graph (searched for its known words, not
// parsed). Pure. Limits: 64 KiB are looked at. Trusts: nothing. Errors: Fault::bad_message, no
// reply in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace doctor {

constexpr std::size_t pasted_limit_bytes = std::size_t{64} * 1024;

struct PastedReply {
  enum class Kind : std::uint8_t { smtp, token, graph };
  Kind kind = Kind::smtp;
  int code = 0;               // SMTP code or HTTP status; 0: none was in it
  std::string word{};         // "5.7.3", an OAuth `error`, a Graph `code`; empty: none
  std::vector<long> numbers;  // AADSTS
  std::string text{};         // the reply's text
  std::string account{};      // of a line of ours
};

// `stage` as the person named it, or empty; one that belongs to HTTP decides the kind.
base::Result<PastedReply> read_pasted(std::string_view pasted, std::string_view stage);

}  // namespace doctor
