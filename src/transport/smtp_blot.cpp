#include "transport/smtp_blot.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/seal.h"
#include "base/text.h"

namespace transport {

namespace {

constexpr std::size_t run_octets = 16;
constexpr std::size_t least_octets = 4;
// An encoded piece shorter than this would blot out words by chance.
constexpr std::size_t least_encoded_octets = 8;

bool between(char c) {
  return c == ' ' || base::is_control(c);
}

base::Secret folded(const base::Secret& secret) {
  std::string out;
  out.reserve(secret.size());  // never grown: no copy is left behind
  for (const char c : secret.reveal()) {
    if (!between(c)) out += base::to_lower(c);
  }
  return base::Secret::take(out);
}

// Tells `seen` where every run of `size` octets begins, and its hash (Rabin and Karp's).
template <typename Seen>
void each_run(std::string_view text, std::size_t size, Seen seen) {
  constexpr std::uint64_t factor = 0x100000001b3ULL;
  std::uint64_t leaving = 1;
  for (std::size_t i = 0; i < size; ++i) leaving *= factor;
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    hash = hash * factor + static_cast<unsigned char>(text[i]);
    if (i >= size) hash -= leaving * static_cast<unsigned char>(text[i - size]);
    if (i + 1 >= size) seen(i + 1 - size, hash);
  }
}

// The pieces without what may stand between, in lower case.
struct Words {
  struct Place {
    std::size_t piece = 0;
    std::size_t at = 0;
  };
  std::string text{};
  std::vector<Place> places{};
  std::vector<bool> marked{};
};

Words words_of(const std::vector<Blot::Piece>& pieces) {
  Words out;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string& text = *pieces[i].text;
    for (std::size_t at = pieces[i].begin; at < text.size(); ++at) {
      if (between(text[at])) continue;
      out.text += base::to_lower(text[at]);
      out.places.push_back({i, at});
    }
  }
  out.marked.resize(out.text.size());
  return out;
}

void mark(Words& words, std::size_t run, const std::vector<base::Secret>& secrets) {
  std::vector<std::uint64_t> said;
  each_run(words.text, run, [&](std::size_t, std::uint64_t hash) { said.push_back(hash); });
  if (said.empty()) return;
  std::sort(said.begin(), said.end());
  std::vector<std::uint64_t> ours;
  for (const base::Secret& secret : secrets) {
    each_run(secret.reveal(), run, [&](std::size_t, std::uint64_t hash) {
      if (std::binary_search(said.begin(), said.end(), hash)) ours.push_back(hash);
    });
  }
  if (ours.empty()) return;
  std::sort(ours.begin(), ours.end());
  std::size_t done = 0;  // no octet is marked twice
  each_run(words.text, run, [&](std::size_t begin, std::uint64_t hash) {
    if (!std::binary_search(ours.begin(), ours.end(), hash)) return;
    for (done = std::max(done, begin); done < begin + run; ++done) words.marked[done] = true;
  });
}

void rewrite(const Words& words, const std::vector<Blot::Piece>& pieces) {
  std::size_t word = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string& text = *pieces[i].text;
    std::string out = text.substr(0, pieces[i].begin);
    bool inside = false;
    for (std::size_t at = out.size(); at < text.size(); ++at) {
      const bool known = word < words.places.size() && words.places[word].piece == i &&
                         words.places[word].at == at;
      const bool hidden = known && words.marked[word];
      if (known) ++word;
      if (!hidden) out += text[at];
      if (hidden && !inside) out += "***";
      inside = hidden;
    }
    text = std::move(out);
  }
}

}  // namespace

void Blot::watch(const base::Secret& secret) {
  add(secret, least_octets);
  // Octets of the secret may stand at any of three places in the groups of base64. The characters
  // at the edges depend on what stands beside it and are left out.
  for (std::size_t before = 0; before < 3; ++before) {
    base::Secret moved(std::string_view("\0\0", before));
    moved.append(secret.reveal());
    const base::Secret encoded = base::base64(moved);
    const std::size_t first = (before * 8 + 5) / 6;
    const std::size_t end = moved.size() * 8 / 6;
    if (end > first) {
      add(base::Secret(encoded.reveal().substr(first, end - first)), least_encoded_octets);
    }
  }
}

void Blot::add(const base::Secret& secret, std::size_t least) {
  base::Secret text = folded(secret);
  if (text.size() < least) return;
  watched_[std::min(run_octets, text.size())].push_back(std::move(text));
}

void Blot::over(const std::vector<Piece>& pieces) const {
  if (empty()) return;
  Words words = words_of(pieces);
  for (const auto& [run, secrets] : watched_) mark(words, run, secrets);
  if (std::find(words.marked.begin(), words.marked.end(), true) == words.marked.end()) return;
  rewrite(words, pieces);
}

}  // namespace transport
