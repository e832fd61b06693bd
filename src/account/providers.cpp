#include "account/providers.h"

#include <algorithm>

#include "base/text.h"

namespace account {

namespace {

constexpr int chain_limit = 4;  // based_on of a based_on ...

bool satisfied(const std::string& need, const std::vector<std::string>& words) {
  for (const std::string_view alternative : base::split(need, '|')) {
    if (std::find(words.begin(), words.end(), alternative) != words.end()) return true;
  }
  return false;
}

bool known_need(const std::string& need) {
  for (const std::string_view alternative : base::split(need, '|')) {
    bool known = false;
    for (const char* key : {"cloud", "transport", "grant"}) {
      const auto choices = base::split(find_key(key)->choices, '|');
      known = known || std::find(choices.begin(), choices.end(), alternative) != choices.end();
    }
    if (!known) return false;
  }
  return true;
}

}  // namespace

base::Result<Providers> Providers::load(const std::string& path) {
  base::Result<std::vector<Section>> sections = read_config_file(path);
  if (!sections) return std::move(sections).error();
  Providers providers;
  providers.path_ = path;
  for (const Section& section : *sections) {
    std::vector<base::Error> faults;
    std::vector<std::string> words = base::words(section.name);
    if (words.empty()) return fault_at(place(path, section.line), "section without a name");
    Part part;
    part.provider = words[0];
    part.needs.assign(words.begin() + 1, words.end());
    part.settings = check_section(section, in_provider, faults);
    for (const std::string& need : part.needs) {
      if (known_need(need)) continue;
      faults.push_back(fault_at(place(path, section.line),
                                "`" + base::clean(need, 40) + "` is no cloud, transport or grant"));
    }
    if (!faults.empty()) return std::move(faults.front());
    providers.parts_.push_back(std::move(part));
  }
  base::Done checked = providers.check();
  if (!checked) return std::move(checked).error();
  return providers;
}

// Every based_on leads somewhere, and ends.
base::Done Providers::check() const {
  for (const Part& part : parts_) {
    std::string name = part.provider;
    for (int steps = 0; !name.empty(); ++steps) {
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
      if (setting.key == "other_names" || setting.key == "based_on") continue;
      setting.source += " (provider " + provider + ")";
      out.push_back(std::move(setting));
    }
  }
}

std::vector<Setting> Providers::presets(const std::string& provider,
                                        const std::vector<std::string>& words) const {
  std::vector<Setting> out;
  std::string name = provider;
  for (int steps = 0; !name.empty() && steps <= chain_limit; ++steps) {
    add_parts(name, words, out);
    name = base_of(name);
  }
  return out;
}

}  // namespace account
