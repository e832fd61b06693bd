#include "account/providers.h"

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace account {

namespace {

constexpr std::size_t chain_limit = 4;  // based_on of a based_on ...

bool satisfied(const std::string& need, const std::vector<std::string>& words) {
  for (const std::string_view alternative : base::split(need, '|')) {
    if (std::find(words.begin(), words.end(), alternative) != words.end()) return true;
  }
  return false;
}

std::vector<std::string_view> words_of_needs() {
  std::vector<std::string_view> out;
  for (const char* key : {"cloud", "transport", "grant"}) {
    for (const std::string_view word : base::split(find_key(key)->choices, '|')) {
      out.push_back(word);
    }
  }
  out.push_back(upload_word);
  return out;
}

bool known_need(std::string_view need) {
  static const std::vector<std::string_view> known = words_of_needs();
  const std::vector<std::string_view> words = base::split(need, '|');
  return std::all_of(words.begin(), words.end(), [](std::string_view word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  });
}

}  // namespace

base::Result<Providers::Part> Providers::part_of(const Section& section, int file) {
  std::vector<base::Error> faults;
  const std::string at = place(section.file, section.line);
  std::vector<std::string> words = base::words(section.name);
  if (words.empty()) return fault_at(at, "section without a name");
  Part part;
  part.provider = std::move(words[0]);
  part.needs.assign(words.begin() + 1, words.end());
  part.settings = check_section(section, in_provider, faults);
  part.at = {file, section.line};
  for (const std::string& need : part.needs) {
    if (known_need(need)) continue;
    faults.push_back(
        fault_at(at, "`" + base::clean(need, 40) + "` is no cloud, transport, grant or upload"));
  }
  if (!faults.empty()) return std::move(faults.front());
  return part;
}

// A section that is there already, by its line, is replaced.
base::Done Providers::take(const std::vector<Section>& sections, int file) {
  auto at = parts_.begin();
  for (const Section& section : sections) {
    base::Result<Part> part = part_of(section, file);
    if (!part) return std::move(part).error();
    while (at != parts_.end() && at->at < part->at) ++at;
    if (at != parts_.end() && at->at == part->at) {
      *at = std::move(*part);
    } else {
      at = parts_.insert(at, std::move(*part));
    }
  }
  return base::done();
}

namespace {

constexpr int our_file = 0;
constexpr int site_file = 1;

bool is_missing(const base::Error& error) {
  return error.sys == ENOENT || error.sys == ENOTDIR;
}

// Of the host's own file, which need not be there.
base::Result<std::string> site_text(const std::string& path) {
  if (path.empty()) return std::string();
  base::Result<std::string> text = read_config_text(path);
  if (!text && is_missing(text.error())) return std::string();
  return text;
}

}  // namespace

base::Result<Providers> Providers::load(const std::string& path, const std::string& site_path) {
  base::Result<std::vector<Section>> sections = read_config_file(path);
  if (!sections) return std::move(sections).error();
  base::Result<std::string> text = site_text(site_path);
  if (!text) return std::move(text).error();
  base::Result<std::vector<Section>> own = parse_config_text(*text, site_path);
  if (!own) return std::move(own).error();
  Providers providers;
  providers.path_ = path;
  base::Done taken = providers.take(*sections, our_file);
  if (taken) taken = providers.take(*own, site_file);
  if (taken) taken = providers.check();
  if (!taken) return std::move(taken).error();
  return providers;
}

// Each round reads what the one before was found to need.
base::Result<Providers> Providers::load_for(const std::string& path,
                                            const std::vector<std::string>& names,
                                            const std::string& site_path) {
  base::Result<std::string> text = read_config_text(path);
  if (!text) return std::move(text).error();
  base::Result<std::string> own = site_text(site_path);
  if (!own) return std::move(own).error();
  // A host with providers of its own may base any of them on any of ours.
  if (!own->empty()) return load(path, site_path);
  Providers providers;
  providers.path_ = path;
  Selection wanted{names, {"other_names"}};
  std::vector<std::string> read;
  while (!wanted.first_words.empty()) {
    base::Result<std::vector<Section>> sections = parse_config_text(*text, path, &wanted);
    if (!sections) return std::move(sections).error();
    base::Done taken = providers.take(*sections, our_file);
    if (!taken) return std::move(taken).error();
    read.insert(read.end(), wanted.first_words.begin(), wanted.first_words.end());
    wanted = {};
    for (const std::string& name : names) {
      const std::string provider = providers.resolve(name);
      if (provider.empty()) return load(path);
      for (std::string& each : providers.chain_of(provider)) {
        if (std::find(read.begin(), read.end(), each) == read.end()) {
          wanted.first_words.push_back(std::move(each));
        }
      }
    }
  }
  base::Done checked = providers.check();
  if (!checked) return std::move(checked).error();
  return providers;
}

// A provider, what it is based on, and so on.
std::vector<std::string> Providers::chain_of(const std::string& name) const {
  std::vector<std::string> out;
  for (std::string next = name; !next.empty() && out.size() <= chain_limit; next = base_of(next)) {
    out.push_back(next);
  }
  return out;
}

// Every based_on leads somewhere, and ends.
base::Done Providers::check() const {
  for (const Part& part : parts_) {
    std::string name = part.provider;
    for (std::size_t steps = 0; !name.empty(); ++steps) {
      const std::string base_name = base_of(name);
      if (steps > chain_limit) {
        return base::failure(base::Fault::config,
                             path_ + ": `based_on` of [" + part.provider + "] goes in a circle");
      }
      if (!base_name.empty() && resolve(base_name) != base_name) {
        return base::failure(
            base::Fault::config,
            path_ + ": [" + part.provider + "] is based on unknown provider `" + base_name + "`");
      }
      name = base_name;
    }
  }
  return base::done();
}

std::string Providers::base_of(const std::string& provider) const {
  for (const Part& part : parts_) {
    if (part.provider != provider || !part.needs.empty()) continue;
    std::string name = value_of(part.settings, "based_on");
    if (!name.empty()) return name;
  }
  return {};
}

std::string Providers::resolve(const std::string& name) const {
  for (const Part& part : parts_) {
    if (part.provider == name) return name;
  }
  for (const Part& part : parts_) {
    for (const std::string& other : base::words(value_of(part.settings, "other_names"))) {
      if (other == name) return part.provider;
    }
  }
  return {};
}

namespace {

// "co.uk", "de", "com": what may stand for the star of "hotmail.*".
bool is_country_ending(std::string_view text) {
  const std::vector<std::string_view> labels = base::split(text, '.');
  return labels.size() <= 2 &&
         std::all_of(labels.begin(), labels.end(),
                     [](std::string_view label) { return label.size() == 2 || label.size() == 3; });
}

bool holds(std::string_view pattern, std::string_view name) {
  if (pattern.starts_with("*.")) return name.ends_with(pattern.substr(1));
  if (pattern.ends_with(".*")) {
    const std::string_view start = pattern.substr(0, pattern.size() - 1);
    return name.starts_with(start) && is_country_ending(name.substr(start.size()));
  }
  return pattern == name;
}

}  // namespace

// The host's own first.
std::string Providers::provider_by(std::string_view key, std::string_view name) const {
  const std::string wanted = base::lower(name);
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    for (const std::string& pattern : base::words(value_of(part->settings, key))) {
      if (holds(base::lower(pattern), wanted)) return part->provider;
    }
  }
  return {};
}

std::string Providers::provider_of_domain(std::string_view domain) const {
  return provider_by("domains", domain);
}

std::string Providers::provider_of_mx(std::string_view host) const {
  return provider_by("mx", host);
}

std::vector<std::string> Providers::names() const {
  std::vector<std::string> out;
  for (const Part& part : parts_) {
    if (std::find(out.begin(), out.end(), part.provider) == out.end()) {
      out.push_back(part.provider);
    }
    for (std::string& other : base::words(value_of(part.settings, "other_names"))) {
      out.push_back(std::move(other));
    }
  }
  return out;
}

void Providers::add_parts(const std::string& provider, const std::vector<std::string>& words,
                          std::vector<Setting>& out) const {
  std::vector<const Part*> fitting;
  for (const Part& part : parts_) {
    const bool fits = std::all_of(part.needs.begin(), part.needs.end(),
                                  [&](const std::string& need) { return satisfied(need, words); });
    if (part.provider == provider && fits) fitting.push_back(&part);
  }
  std::reverse(fitting.begin(), fitting.end());  // of equals, the later is stronger
  std::stable_sort(fitting.begin(), fitting.end(),
                   [](const Part* a, const Part* b) { return a->needs.size() > b->needs.size(); });
  for (const Part* part : fitting) {
    for (Setting setting : part->settings) {
      if (find_key(setting.key)->places == in_provider) continue;  // about the provider itself
      setting.source += " (provider " + provider + ")";
      out.push_back(std::move(setting));
    }
  }
}

std::vector<Setting> Providers::presets(const std::string& provider,
                                        const std::vector<std::string>& words) const {
  std::vector<Setting> out;
  for (const std::string& name : chain_of(provider)) add_parts(name, words, out);
  return out;
}

}  // namespace account
