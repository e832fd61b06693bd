#include "transport/smtp_blot.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/seal.h"
#include "base/text.h"

namespace transport {

namespace {

constexpr std::size_t run_octets = 16;
constexpr std::size_t least_octets = 4;
// An encoded piece shorter than this would blot out words by chance.
constexpr std::size_t least_encoded_octets = 8;

constexpr char nothing = '\0';

// Each octet in lower case; `nothing` for what may stand between, which is left out.
constexpr std::array<char, 256> folding = [] {
  std::array<char, 256> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool between = i <= ' ' || i == 0x7F;
    const bool capital = i >= 'A' && i <= 'Z';
    out[i] = between ? nothing : static_cast<char>(capital ? i - 'A' + 'a' : i);
  }
  return out;
}();

char folded(char c) {
  return folding[static_cast<unsigned char>(c)];
}

// In its place: no copy is left behind.
void fold(std::string& text) {
  char* end = text.data();
  for (const char c : std::string_view(text)) {
    *end = folded(c);  // the next one takes its place when it is nothing
    end += *end == nothing ? 0 : 1;
  }
  text.resize(static_cast<std::size_t>(end - text.data()));
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
      const char c = folded(text[at]);
      if (c == nothing) continue;
      out.text += c;
      out.places.push_back({i, at});
    }
  }
  out.marked.resize(out.text.size());
  return out;
}

// A run of 16 octets holds one of the secret's blocks of 8, wherever it begins. So a text without
// any of those blocks holds no run: that is nearly every reply, and this is much cheaper than to
// look at every run of a long token. Hits may be by chance.
class Blocks {
 public:
  explicit Blocks(const std::string& text) {
    for (std::size_t at = 0; at + block_octets <= text.size(); ++at) {
      all_.push_back(block(text.data() + at));
      seen_.set(place(all_.back()));
    }
    std::sort(all_.begin(), all_.end());
  }
  bool touch(std::string_view secret) const {
    for (std::size_t at = 0; at + block_octets <= secret.size(); at += block_octets) {
      const std::uint64_t ours = block(secret.data() + at);
      if (seen_.test(place(ours)) && std::binary_search(all_.begin(), all_.end(), ours)) {
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::size_t block_octets = run_octets / 2;
  static constexpr unsigned place_bits = 15;
  static std::uint64_t block(const char* from) {
    std::uint64_t out = 0;
    static_assert(sizeof out == block_octets);
    std::memcpy(&out, from, sizeof out);
    return out;
  }
  static std::size_t place(std::uint64_t block) {
    return static_cast<std::size_t>((block * 0x9E3779B97F4A7C15ULL) >> (64 - place_bits));
  }
  std::bitset<std::size_t{1} << place_bits> seen_{};
  std::vector<std::uint64_t> all_{};
};

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

void Blot::watch_as_it_is(const base::Secret& secret) {
  std::string plain(secret.reveal());
  add(plain, least_octets);
}

void Blot::watch(const base::Secret& secret) {
  watch_as_it_is(secret);
  // Octets of the secret may stand at any of three places in the groups of base64. The characters
  // at the edges depend on what stands beside it and are left out.
  std::string moved;
  moved.reserve(2 + secret.size());
  for (std::size_t before = 0; before < 3; ++before) {
    moved.assign(before, '\0');
    moved += secret.reveal();
    std::string encoded = base::base64(std::string_view(moved));
    const std::size_t first = (before * 8 + 5) / 6;
    const std::size_t end = moved.size() * 8 / 6;
    encoded.resize(end);
    encoded.erase(0, std::min(first, end));
    add(encoded, least_encoded_octets);
  }
  base::wipe(moved);
}

void Blot::add(std::string& secret, std::size_t least) {
  fold(secret);
  base::Secret kept = base::Secret::take(secret);
  if (kept.size() < least) return;
  watched_[std::min(run_octets, kept.size())].push_back(std::move(kept));
}

bool Blot::may_touch(const std::vector<Piece>& pieces) const {
  if (watched_.begin()->first < run_octets) return true;  // a short secret is cheap to look for
  std::string text;
  for (const Piece& piece : pieces) {
    if (piece.begin < piece.text->size()) text.append(*piece.text, piece.begin);
  }
  fold(text);
  if (text.size() < run_octets) return false;
  const Blocks blocks(text);
  const std::vector<base::Secret>& secrets = watched_.begin()->second;
  return std::any_of(secrets.begin(), secrets.end(),
                     [&](const base::Secret& secret) { return blocks.touch(secret.reveal()); });
}

void Blot::over(const std::vector<Piece>& pieces) const {
  if (empty() || !may_touch(pieces)) return;
  Words words = words_of(pieces);
  for (const auto& [run, secrets] : watched_) mark(words, run, secrets);
  if (std::find(words.marked.begin(), words.marked.end(), true) == words.marked.end()) return;
  rewrite(words, pieces);
}

}  // namespace transport
