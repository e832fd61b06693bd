// split_with_gmime of mime_split.h: what is taken out, and the copying. What stays is copied from
// the original, byte for byte; GMime holds the decoders. Contents stream through 32 KiB.
#include "mail/mime_split.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "mail/mime_survey.h"
#include "mail/range.h"

namespace mail {

namespace {

// What stands for the parts of a multipart that would be left without any.
constexpr std::string_view empty_text = "Content-Type: text/plain; charset=us-ascii\r\n\r\n\r\n";

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

base::Error refusal(const std::string& cause, const std::string& cure) {
  return base::failure(base::Fault::bad_message, cause, cure);
}

std::string in_megabytes(std::uint64_t bytes) {
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

// Marks what is taken out.
base::Done choose(std::vector<Candidate>& candidates, std::uint64_t whole_size,
                  const SplitLimits& limits) {
  std::vector<Candidate*> by_size;
  by_size.reserve(candidates.size());
  for (Candidate& one : candidates) by_size.push_back(&one);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const Candidate* a, const Candidate* b) { return a->size() > b->size(); });
  std::uint64_t rest = whole_size;
  std::size_t count = 0;
  for (Candidate* one : by_size) {
    if (rest <= limits.rest_bytes) break;
    if (++count > limits.parts) {
      return refusal(
          "too many attachments to send it in parts (over " + std::to_string(limits.parts) + ")",
          "send them in a single archive");
    }
    one->taken = true;
    rest -= one->size() - std::min<std::uint64_t>(one->size(), 2 * empty_text.size());
  }
  if (rest > limits.rest_bytes) {
    return refusal(in_megabytes(rest) + " of the message are no attachment",
                   "attach them as a file, or use an account with transport = smtp");
  }
  bool behind = false;
  for (Candidate& one : candidates) {
    if (behind && !one.taken && one.only_its_place && one.content < one.content_end &&
        count < limits.parts) {
      one.taken = true;
      ++count;
    }
    behind = behind || (one.taken && !one.facts.is_inline);
  }
  return base::done();
}

base::Done copy(const base::Scratch& whole, std::uint64_t begin, std::uint64_t end,
                base::Scratch& out) {
  return each_piece_of(whole, begin, end,
                       [&out](std::string_view piece) { return out.append(piece); });
}

base::Done append_rest(const base::Scratch& whole, const std::vector<Candidate>& candidates,
                       std::vector<std::size_t> children, base::Scratch& out) {
  std::uint64_t at = 0;
  for (const Candidate& one : candidates) {
    if (!one.taken) continue;
    const bool last_child = --children[one.parent] == 0;
    base::Done done = copy(whole, at, last_child ? one.line_end : one.begin, out);
    if (done && last_child) done = out.append(empty_text);
    if (!done) return done;
    at = one.end;
  }
  return copy(whole, at, whole.size_bytes(), out);
}

// Used without GMime's streams: their reader cannot tell the end from a failure.
base::Done append_decoded(const base::Scratch& whole, const Candidate& one, base::Scratch& out) {
  if (one.encoding == PartEncoding::none) {
    return copy(whole, one.content, one.content_end, out);
  }
  const GMimeContentEncoding encoding = one.encoding == PartEncoding::base64
                                            ? GMIME_CONTENT_ENCODING_BASE64
                                            : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
  const Owned<GMimeFilter> decoder(g_mime_filter_basic_new(encoding, FALSE));
  const auto feed = [&](std::string_view piece, bool last) {
    std::string bytes(piece);
    char* decoded = nullptr;
    std::size_t size = 0;
    std::size_t prespace = 0;
    const auto run = last ? g_mime_filter_complete : g_mime_filter_filter;
    run(decoder.get(), bytes.data(), bytes.size(), 0, &decoded, &size, &prespace);
    return out.append(std::string_view(decoded, size));
  };
  base::Done done = each_piece_of(whole, one.content, one.content_end,
                                  [&](std::string_view piece) { return feed(piece, false); });
  return done ? feed({}, true) : done;
}

base::Result<Split> take_apart(const base::Scratch& whole, Survey& survey,
                               const SplitLimits& limits) {
  Split split;
  base::Done done = append_rest(whole, survey.candidates, survey.children, split.bytes);
  if (!done) return std::move(done).error();
  split.rest_size = split.bytes.size_bytes();
  for (Candidate& one : survey.candidates) {
    if (!one.taken) continue;
    one.facts.offset = split.bytes.size_bytes();
    done = append_decoded(whole, one, split.bytes);
    if (!done) return std::move(done).error();
    one.facts.size = split.bytes.size_bytes() - one.facts.offset;
    if (one.facts.size > limits.part_bytes) {
      return refusal("an attachment of " + in_megabytes(one.facts.size) +
                         " is too large (the limit is " + in_megabytes(limits.part_bytes) + ")",
                     "send a link");
    }
    split.parts.push_back(std::move(one.facts));
  }
  return split;
}

}  // namespace

base::Result<Split> split_with_gmime(const base::Scratch& whole, const SplitLimits& limits) {
  base::Result<Survey> survey = survey_with_gmime(whole);
  if (!survey) return std::move(survey).error();
  base::Done chosen = choose(survey->candidates, whole.size_bytes(), limits);
  if (!chosen) return std::move(chosen).error();
  return take_apart(whole, *survey, limits);
}

}  // namespace mail
