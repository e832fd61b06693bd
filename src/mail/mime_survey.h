// mime_survey: the attachments of a message and where they stand. Internal to the room; by GMime,
// in mime_survey.cpp. What is an attachment: see mime_split.h. Units: octets from the message's
// beginning. Errors: Fault::bad_message (signed or encrypted, too many parts), Fault::io.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/scratch.h"
#include "mail/mime_split.h"

namespace mail {

enum class PartEncoding : std::uint8_t { none, base64, quoted_printable };

// A part that may be taken out.
struct Candidate {
  std::size_t parent = 0;      // its multipart, by number
  std::uint64_t begin = 0;     // of the boundary line before it
  std::uint64_t line_end = 0;  // of that line
  std::uint64_t end = 0;       // of the boundary line behind it: where that begins
  std::uint64_t content = 0;
  std::uint64_t content_end = 0;
  PartEncoding encoding = PartEncoding::none;
  SplitPart facts{};
  bool only_its_place = false;  // taking it out loses nothing but its place
  bool taken = false;

  std::uint64_t size() const { return end - begin; }
};

struct Survey {
  std::vector<Candidate> candidates{};  // in the order of the message, none inside another
  std::vector<std::size_t> children{};  // how many parts each multipart has
};

base::Result<Survey> survey_with_gmime(const base::Scratch& whole);

}  // namespace mail
