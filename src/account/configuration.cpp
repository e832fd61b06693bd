#include "account/configuration.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "account/build.h"
#include "base/file.h"
#include "base/text.h"

namespace account {

namespace {

using base::Error;
using base::Fault;

constexpr std::size_t file_count_limit = 256;  // in conf.d
constexpr std::size_t account_name_limit = 40;

// What was understood, and every fault on the way. A fault with an account's name disables that
// account only; one without a name breaks the configuration.
struct Reading {
  Configuration configuration{};
  std::vector<Error> faults{};
  std::vector<Section> account_sections{};
  std::vector<Setting> main{};
};

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

bool is_part_name(const std::string& name) {
  return name.size() > 5 && name[0] != '.' && name.compare(name.size() - 5, 5, ".conf") == 0;
}

// The *.conf files of conf.d beside the main file, sorted by name. No folder: none.
base::Result<std::vector<std::string>> parts_of(const std::string& main_file) {
  const std::string path = base::folder_of(main_file) + "/conf.d";
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(path.c_str()));
  std::vector<std::string> out;
  if (!folder) {
    if (errno == ENOENT) return out;
    return base::failure_errno(Fault::config, "cannot open " + path, errno);
  }
  while (const dirent* entry = readdir(folder.get())) {
    if (!is_part_name(entry->d_name)) continue;
    out.push_back(path + "/" + entry->d_name);
    if (out.size() > file_count_limit) {
      return base::failure(Fault::config, path + " holds more than 256 files");
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

void merge_main(const Section& section, Reading& reading) {
  for (Setting& setting : check_section(section, in_main, reading.faults)) {
    const auto same = [&](const Setting& other) { return other.key == setting.key; };
    const auto before = std::find_if(reading.main.begin(), reading.main.end(), same);
    if (before == reading.main.end()) {
      reading.main.push_back(std::move(setting));
    } else if (find_key(setting.key)->repeatable) {
      before->value += " " + setting.value;
    } else {
      reading.faults.push_back(fault_at(setting.source,
                                        "`" + setting.key + "` is already set at " + before->source,
                                        "remove one of the two lines"));
    }
  }
}

std::string account_name(const Section& section) {
  const std::vector<std::string> words = base::words(section.name);
  return words.size() == 2 && words[0] == "account" ? words[1] : std::string();
}

bool is_account_name(const std::string& name) {
  return name.size() <= account_name_limit && complaint(*find_key("default"), name).empty();
}

void take_section(const Section& section, Reading& reading) {
  const std::string at = place(section.file, section.line);
  const std::string name = account_name(section);
  if (section.name == "mailbearer") return merge_main(section, reading);
  if (!name.empty()) {
    if (is_account_name(name)) {
      reading.account_sections.push_back(section);
    } else {
      reading.faults.push_back(fault_at(at, "account name `" + base::clean(name, 60) +
                                                "` may hold up to 40 letters, digits, dots, "
                                                "underscores and hyphens only"));
    }
    return;
  }
  const std::string first = base::words(section.name + " ?").front();
  const std::string near = base::nearest(first, {"mailbearer", "account"});
  reading.faults.push_back(fault_at(
      at, "unknown section [" + base::clean(section.name, 60) + "]",
      near.empty() ? "write [mailbearer] or [account NAME]"
                   : "did you mean [" + (near == "account" ? "account NAME" : near) + "]?"));
}

// False: they cannot be read.
bool take_sections(base::Result<std::vector<Section>> sections, Reading& reading) {
  if (!sections) {
    reading.faults.push_back(std::move(sections).error());
    return false;
  }
  for (const Section& section : *sections) take_section(section, reading);
  return true;
}

void read_files(const ConfigurationPaths& paths, Reading& reading) {
  const bool read =
      take_sections(paths.main_text ? parse_config_text(*paths.main_text, paths.main_file)
                                    : read_config_file(paths.main_file),
                    reading);
  if (!read || paths.profile != Profile::system) return;
  base::Result<std::vector<std::string>> parts = parts_of(paths.main_file);
  if (!parts) return reading.faults.push_back(std::move(parts).error());
  for (const std::string& part : *parts) take_sections(read_config_file(part), reading);
}

Account* find_mutable(Configuration& configuration, const std::string& name) {
  for (Account& account : configuration.accounts) {
    if (account.name == name) return &account;
  }
  return nullptr;
}

void break_account(Account& account, Error fault, std::vector<Error>& faults) {
  fault.account = account.name;
  if (!account.broken) account.broken = fault;
  faults.push_back(std::move(fault));
}

void build_accounts(const ConfigurationPaths& paths, const Providers& providers, Reading& reading) {
  Configuration& configuration = reading.configuration;
  for (const Section& section : reading.account_sections) {
    const std::string name = account_name(section);
    if (Account* twin = find_mutable(configuration, name)) {
      break_account(*twin,
                    fault_at(place(section.file, section.line),
                             "[account " + name + "] stands at " + twin->where + " already",
                             "give one of the two another name"),
                    reading.faults);
      continue;
    }
    configuration.accounts.push_back(
        build_account({&section, name, &reading.main, &providers, &paths}, reading.faults));
  }
}

// Keys whose value is the name of an account.
void check_references(Reading& reading) {
  Configuration& configuration = reading.configuration;
  std::vector<std::string> names;
  for (const Account& account : configuration.accounts) names.push_back(account.name);
  const auto unknown = [&](const Setting* setting) {
    return setting && std::find(names.begin(), names.end(), setting->value) == names.end();
  };
  const auto fault = [&](const Setting& setting) {
    return fault_at(
        setting.source, "`" + setting.key + "` names unknown account `" + setting.value + "`",
        did_you_mean(setting.value, names, "add [account " + setting.value + "] or name another"));
  };
  for (const char* key : {"default", "listen_account", "notify_via"}) {
    const Setting* setting = find_setting(reading.main, key);
    if (unknown(setting)) reading.faults.push_back(fault(*setting));
  }
  for (Account& account : configuration.accounts) {
    const Setting* setting = find_setting(account.settings, "fallback");
    if (unknown(setting)) {
      break_account(account, fault(*setting), reading.faults);
    } else if (setting && setting->value == account.name) {
      break_account(account, fault_at(setting->source, "`fallback` names the account itself"),
                    reading.faults);
    }
  }
}

void fill_main(const ConfigurationPaths& paths, Reading& reading) {
  Configuration& configuration = reading.configuration;
  for (const Key& key : all_keys()) {
    if ((key.places & in_main) == 0) continue;
    const std::string_view preset = key.name == "state_dir" ? paths.default_state_dir : key.preset;
    if (const Setting* setting = find_setting(reading.main, key.name)) {
      configuration.settings.push_back(*setting);
    } else if (!preset.empty() && key.places == in_main) {
      configuration.settings.push_back({std::string(key.name), std::string(preset), "default"});
    }
  }
  const auto value = [&](const char* key) { return value_of(configuration.settings, key); };
  configuration.default_account = value("default");
  configuration.local_mail_to = value("local_mail_to");
  configuration.aliases = value("aliases");
  configuration.domain = value("domain");
  configuration.agent_none = value("agent") == "none";
  configuration.log = value("log");
  configuration.log_addresses = value("log_addresses");
  configuration.state_dir = value("state_dir");
  configuration.runtime_dir = value("runtime_dir");
  configuration.listen_tcp = value("listen_tcp");
  Account carrier;  // the table knows how to read flags and choices
  for (const Setting& setting : configuration.settings) {
    apply(*find_key(setting.key), setting.value, carrier);
    configuration.others.emplace_back(setting.key, setting.value);
  }
  configuration.delivery = carrier.delivery;
  configuration.temporary_exit = carrier.temporary_exit;
  configuration.user_profiles = flag_of(value("user_profiles"));
}

// What the accounts ask for, as written; and the preset, for those that do not say.
std::vector<std::string> named_providers(const Reading& reading) {
  std::vector<std::string> out{std::string(find_key("provider")->preset)};
  for (const Section& section : reading.account_sections) {
    for (const Entry& entry : section.entries) {
      if (entry.key == "provider") out.push_back(entry.value);
    }
  }
  return out;
}

Reading read_configuration(const ConfigurationPaths& paths) {
  Reading reading;
  reading.configuration.file = paths.main_file;
  reading.configuration.profile = paths.profile;
  read_files(paths, reading);
  base::Result<Providers> providers =
      paths.needed_providers_only
          ? Providers::load_for(paths.providers_file, named_providers(reading),
                                paths.site_providers_file)
          : Providers::load(paths.providers_file, paths.site_providers_file);
  if (!providers) {
    reading.faults.push_back(std::move(providers).error());
    return reading;
  }
  build_accounts(paths, *providers, reading);
  check_references(reading);
  fill_main(paths, reading);
  return reading;
}

}  // namespace

std::vector<std::string> configuration_files(const std::string& main_file) {
  std::vector<std::string> out = {main_file};
  const base::Result<std::vector<std::string>> parts = parts_of(main_file);
  if (parts) out.insert(out.end(), parts->begin(), parts->end());
  return out;
}

base::Result<Configuration> load_configuration(const ConfigurationPaths& paths) {
  Reading reading = read_configuration(paths);
  for (Error& fault : reading.faults) {
    if (fault.account.empty()) return std::move(fault);
  }
  return std::move(reading.configuration);
}

std::vector<Error> check_configuration(const ConfigurationPaths& paths) {
  return read_configuration(paths).faults;
}

namespace {

void show_settings(const std::vector<Setting>& settings, std::string& out) {
  constexpr std::size_t column = 48;
  for (const Setting& setting : settings) {
    if (setting.value.empty()) continue;
    std::string line = setting.key + " = " + setting.value;
    if (line.size() < column) line.append(column - line.size(), ' ');
    out += line + " ; " + setting.source + "\n";
  }
}

}  // namespace

std::string show_configuration(const Configuration& configuration) {
  std::string out = "; " + configuration.file +
                    (configuration.profile == Profile::system ? " (system)\n" : " (person)\n");
  out += "\n[mailbearer]\n";
  show_settings(configuration.settings, out);
  for (const Account& account : configuration.accounts) {
    out += "\n[account " + account.name + "]\n";
    if (account.broken) {
      out += "; faulty: " + account.broken->cause;
      if (!account.broken->cure.empty()) out += "; " + account.broken->cure;
      out += "\n";
    }
    show_settings(account.settings, out);
  }
  return out;
}

}  // namespace account
