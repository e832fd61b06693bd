// providers: what providers.conf presets, as data. Source: design section 3.
// A section is a provider's name and, behind it, words that narrow it to a cloud, a transport, a
// grant, or to accounts with graph_large = upload: [microsoft], [microsoft usgov],
// [microsoft smtp app|federated], [microsoft graph user upload]. It applies to an account
// when every word names something the account uses; the section with more words is stronger, of
// equal ones the later. `based_on` takes over another provider's presets as weaker ones;
// `other_names` are names that mean the same provider.
// `domains` and `mx` are whose mail it is: "outlook.com", "*.onmicrosoft.com" (and all below),
// "hotmail.*" (with the ending of any country).
// A host may have a file of its own beside ours (docs/decisions/0027): read behind it, and so
// stronger. It need not be there.
// Errors: Fault::config naming file and line. Trusts: files that only root or we may write.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "account/section.h"
#include "base/result.h"

namespace account {

// The word of sections for transport = graph with graph_large = upload.
constexpr std::string_view upload_word = "upload";

class Providers {
 public:
  // The whole file, every line judged.
  static base::Result<Providers> load(const std::string& path, const std::string& site_path = {});
  // Only what `names` need: their sections and those of what they are based on. The rest is
  // neither read nor judged, unless one of the names is unknown: then it is the whole file.
  static base::Result<Providers> load_for(const std::string& path,
                                          const std::vector<std::string>& names,
                                          const std::string& site_path = {});

  // The name itself for one of `other_names`; empty: unknown.
  std::string resolve(const std::string& name) const;
  std::vector<std::string> names() const;  // with the other names, for "did you mean"
  // Whose `domains` or `mx` hold this domain or host, ours or the host's own; empty: nobody's.
  std::string provider_of_domain(std::string_view domain) const;
  std::string provider_of_mx(std::string_view host) const;

  // The presets of a provider (a resolved name) that hold for these words (cloud, transport,
  // grant, upload), the strongest first; a key may stand more than once. No words: unqualified
  // sections.
  std::vector<Setting> presets(const std::string& provider,
                               const std::vector<std::string>& words) const;

 private:
  struct Part {
    std::string provider{};
    std::vector<std::string> needs{};  // each "app" or "app|federated"
    std::vector<Setting> settings{};
    std::pair<int, int> at{};  // file, line: the order of the sections
  };
  static base::Result<Part> part_of(const Section& section, int file);
  base::Done take(const std::vector<Section>& sections, int file);
  std::string provider_by(std::string_view key, std::string_view name) const;
  std::vector<std::string> chain_of(const std::string& name) const;
  base::Done check() const;
  void add_parts(const std::string& provider, const std::vector<std::string>& words,
                 std::vector<Setting>& out) const;
  std::string base_of(const std::string& provider) const;

  std::string path_{};  // ours, for sentences
  std::vector<Part> parts_{};
};

}  // namespace account
