#include "account/build.h"

#include <algorithm>

#include "base/text.h"

namespace account {

namespace {

using base::Error;

// Settings of which the first of a key counts.
class Layers {
 public:
  bool has(std::string_view key) const { return find_setting(kept_, key) != nullptr; }
  void add(const Setting& setting) {
    if (!has(setting.key)) kept_.push_back(setting);
  }
  void add(const std::vector<Setting>& settings) {
    for (const Setting& setting : settings) add(setting);
  }
  std::string value(std::string_view key) const { return value_of(kept_, key); }
  // In the order of the table.
  std::vector<Setting> sorted() const {
    std::vector<Setting> out;
    for (const Key& key : all_keys()) {
      const Setting* setting = find_setting(kept_, key.name);
      if (setting) out.push_back(*setting);
    }
    return out;
  }

 private:
  std::vector<Setting> kept_;
};

std::vector<Setting> for_accounts(const std::vector<Setting>& main) {
  std::vector<Setting> out;
  for (const Setting& setting : main) {
    if ((find_key(setting.key)->places & in_account) != 0) out.push_back(setting);
  }
  return out;
}

// cloud, transport and grant decide which sections of the provider apply, and whether Graph takes
// uploads; so they are settled first: by the account, else by the provider's plain section, else by
// the table.
std::vector<std::string> deciding_words(const std::vector<Setting>& own,
                                        const std::vector<Setting>& plain_presets) {
  std::vector<std::string> out;
  for (const char* key : {"cloud", "transport", "grant"}) {
    std::string word = value_of(own, key);
    if (word.empty()) word = value_of(plain_presets, key);
    if (word.empty()) word = find_key(key)->preset;
    out.push_back(std::move(word));
  }
  // A further permission, which nobody else is asked for.
  const bool uploads = out[1] == "graph" && value_of(own, "graph_large") == upload_word;
  if (uploads) out.emplace_back(upload_word);
  return out;
}

std::string domain_of(const std::string& address) {
  const std::size_t at = address.rfind('@');
  return at == std::string::npos ? std::string() : address.substr(at + 1);
}

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  std::size_t at = 0;
  while ((at = text.find(what, at)) != std::string::npos) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

bool takes_placeholders(const Key& key) {
  return key.kind == Kind::url || key.kind == Kind::host || key.name == "scope" ||
         key.name == "resource" || key.name == "auth_user" || key.name == "smtp_scope";
}

struct Marks {
  std::string tenant{};
  std::string user{};
  std::string dashed_domain{};
};

// False: nothing fills one of the placeholders.
bool fill_in(std::string& text, const Marks& marks) {
  const std::pair<std::string_view, const std::string*> known[] = {
      {"{tenant}", &marks.tenant},
      {"{user}", &marks.user},
      {"{dashed_domain}", &marks.dashed_domain}};
  for (const auto& [mark, value] : known) {
    if (text.find(mark) == std::string::npos) continue;
    if (value->empty()) return false;
    replace_all(text, mark, *value);
  }
  return true;
}

// Fills in the placeholders and judges the result. What cannot be filled in is dropped: only a
// token endpoint without its tenant is a fault (a missing user has one of its own).
void expand(std::vector<Setting>& settings, const Section& section, std::vector<Error>& faults) {
  Marks marks{value_of(settings, "tenant"), value_of(settings, "user"), {}};
  marks.dashed_domain = domain_of(marks.user);
  std::replace(marks.dashed_domain.begin(), marks.dashed_domain.end(), '.', '-');
  for (Setting& setting : settings) {
    const Key& key = *find_key(setting.key);
    if (setting.value.find('{') == std::string::npos || !takes_placeholders(key)) continue;
    if (!fill_in(setting.value, marks)) {
      if (key.name == "token_endpoint" && marks.tenant.empty()) {
        faults.push_back(fault_at(place(section.file, section.line),
                                  "[" + section.name + "] has no tenant, which its provider needs",
                                  "add tenant = ... to it"));
      }
      setting.value.clear();
      continue;
    }
    const std::string why = complaint(key, setting.value);
    if (why.empty()) continue;
    faults.push_back(fault_at(
        setting.source, "`" + setting.key + " = " + base::clean(setting.value, 80) + "` " + why));
  }
}

// An account of Graph that sends large messages by SMTP asks for a second token, as its provider
// has it for SMTP. What it sets itself is stronger. Yields the resource.
std::string add_smtp_scope(Layers& layers, const Providers& providers, const std::string& provider,
                           std::vector<std::string> words) {
  constexpr std::size_t transport = 1;  // in deciding_words
  if (words[transport] != "graph" || layers.value("graph_large") != "smtp") return {};
  words[transport] = "smtp";
  const std::vector<Setting> presets = providers.presets(provider, words);
  if (const Setting* scope = find_setting(presets, "scope")) {
    layers.add(Setting{"smtp_scope", scope->value, scope->source});
  }
  return value_of(presets, "resource");
}

void add_defaults(Layers& layers, const ConfigurationPaths& paths) {
  const auto by_default = [&](const char* key, const std::string& value) {
    if (!value.empty() && !layers.has(key)) layers.add(Setting{key, value, "default"});
  };
  const bool system = paths.profile == Profile::system;
  by_default("rewrite_from", system ? "auto" : "never");
  by_default("keyring_dir", paths.default_keyring_dir);
  by_default("smtp_port", layers.value("smtp_tls") == "implicit" ? "465" : "587");
  by_default("auth_user", layers.value("user"));
  by_default("from", layers.value("user"));
  for (const Key& key : all_keys()) {
    if ((key.places & in_account) != 0 && !key.preset.empty() && !layers.has(key.name)) {
      layers.add(Setting{std::string(key.name), std::string(key.preset), "default"});
    }
  }
}

std::string known_provider(const AccountSources& sources, const std::vector<Setting>& own,
                           std::vector<Error>& faults) {
  const Setting* wanted = find_setting(own, "provider");
  const std::string name = wanted ? wanted->value : std::string(find_key("provider")->preset);
  std::string provider = sources.providers->resolve(name);
  if (provider.empty()) {
    const std::string at =
        wanted ? wanted->source : place(sources.section->file, sources.section->line);
    faults.push_back(fault_at(
        at, "unknown provider `" + base::clean(name, 60) + "`",
        did_you_mean(name, sources.providers->names(), "use one of providers.conf, or smtp")));
  }
  return provider;
}

}  // namespace

Account build_account(const AccountSources& sources, std::vector<Error>& faults) {
  std::vector<Error> own_faults;
  const Section& section = *sources.section;
  const std::vector<Setting> own = check_section(section, in_account, own_faults);
  const std::string provider = known_provider(sources, own, own_faults);
  const std::vector<std::string> words =
      deciding_words(own, sources.providers->presets(provider, {}));

  Layers layers;
  layers.add(own);
  layers.add(for_accounts(*sources.main));
  for (const Setting& preset : sources.providers->presets(provider, words)) layers.add(preset);
  const std::string smtp_resource = add_smtp_scope(layers, *sources.providers, provider, words);
  add_defaults(layers, *sources.paths);

  Account account;
  account.smtp_resource = smtp_resource;
  account.settings = layers.sorted();
  expand(account.settings, section, own_faults);
  for (const Setting& setting : account.settings) {
    if (!setting.value.empty()) apply(*find_key(setting.key), setting.value, account);
  }
  account.name = sources.name;
  account.provider = provider;
  account.where = place(section.file, section.line);
  const Setting* allowed = find_setting(account.settings, "allow_users");
  account.allow_users_where = allowed ? allowed->source : account.where;

  if (own_faults.empty()) check_requirements(account, sources.paths->profile, own_faults);
  for (Error& fault : own_faults) {
    fault.account = account.name;
    if (!account.broken) account.broken = fault;
    faults.push_back(std::move(fault));
  }
  return account;
}

std::string binding(const Account& account) {
  std::string out = "mailbearer credential 1";
  for (const std::string* word : {&account.name, &account.user, &account.client_id, &account.tenant,
                                  &account.token_endpoint}) {
    out += " " + std::to_string(word->size()) + ":" + *word;
  }
  return out;
}

}  // namespace account
