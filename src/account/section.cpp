#include "account/section.h"

#include <algorithm>

#include "base/text.h"

namespace account {

namespace {

using base::Error;

// What people write into configuration files of other programs; here it would lie readable.
bool names_a_secret(const std::string& key) {
  static constexpr std::string_view secrets[] = {"password",      "client_secret", "refresh_token",
                                                 "access_token",  "secret",        "token",
                                                 "smtp_password", "pass"};
  return std::find(std::begin(secrets), std::end(secrets), key) != std::end(secrets);
}

Error unknown_key(const Section& section, const Entry& entry, Place where) {
  const std::string at = place(section.file, entry.line);
  const std::string shown = base::clean(entry.key, 60);
  if (names_a_secret(entry.key)) {
    return fault_at(at, "`" + shown + "` is a secret and does not belong in this file",
                    "run: mailbearer secret set ACCOUNT KIND, or name a file: password_file, "
                    "client_secret_file, refresh_token_file");
  }
  return fault_at(at, "unknown key `" + shown + "`",
                  did_you_mean(entry.key, key_names(where), "see mailbearer.conf(5)"));
}

std::string home_of(unsigned places) {
  std::string out;
  const auto add = [&](unsigned which, const char* name) {
    if ((places & which) != 0) out += (out.empty() ? "" : " or ") + std::string(name);
  };
  add(in_main, "[mailbearer]");
  add(in_account, "[account NAME]");
  add(in_provider, "providers.conf");
  return out;
}

// Empty in providers.conf means none. Values with placeholders are judged once they are filled in.
bool value_is_sound(const Key& key, const std::string& value, Place where, const std::string& at,
                    std::vector<Error>& faults) {
  if (value.empty()) {
    if (where == in_provider) return true;
    faults.push_back(fault_at(at, "`" + std::string(key.name) + "` has no value"));
    return false;
  }
  if (where == in_provider && value.find('{') != std::string::npos) return true;
  const std::string why = complaint(key, value);
  if (why.empty()) return true;
  faults.push_back(
      fault_at(at, "`" + std::string(key.name) + " = " + base::clean(value, 80) + "` " + why));
  return false;
}

void add_setting(std::vector<Setting>& settings, const Key& key, std::string value,
                 const Section& section, const Entry& entry, std::vector<Error>& faults) {
  const std::string at = place(section.file, entry.line);
  const auto same = [&](const Setting& setting) { return setting.key == key.name; };
  const auto before = std::find_if(settings.begin(), settings.end(), same);
  if (before == settings.end()) {
    settings.push_back({std::string(key.name), std::move(value), at});
  } else if (key.repeatable) {
    before->value += " " + value;
  } else {
    faults.push_back(fault_at(at,
                              "`" + std::string(key.name) + "` is already set at " + before->source,
                              "remove one of the two lines"));
  }
}

}  // namespace

std::vector<Setting> check_section(const Section& section, Place where,
                                   std::vector<Error>& faults) {
  std::vector<Setting> settings;
  for (const Entry& entry : section.entries) {
    const Key* key = find_key(entry.key);
    const std::string at = place(section.file, entry.line);
    if (!key) {
      faults.push_back(unknown_key(section, entry, where));
    } else if ((key->places & where) == 0) {
      faults.push_back(fault_at(at, "`" + entry.key + "` does not belong in [" + section.name + "]",
                                "its place is " + home_of(key->places)));
    } else {
      std::string value = entry.value;
      std::replace(value.begin(), value.end(), '\t', ' ');
      if (value_is_sound(*key, value, where, at, faults)) {
        add_setting(settings, *key, std::move(value), section, entry, faults);
      }
    }
  }
  return settings;
}

const Setting* find_setting(const std::vector<Setting>& settings, std::string_view key) {
  for (const Setting& setting : settings) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

std::string value_of(const std::vector<Setting>& settings, std::string_view key) {
  const Setting* setting = find_setting(settings, key);
  return setting ? setting->value : std::string();
}

Error fault_at(const std::string& place, const std::string& cause, const std::string& cure) {
  return base::failure(base::Fault::config, place + ": " + cause, cure);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known,
                         const std::string& otherwise) {
  const std::string near = base::nearest(word, known);
  return near.empty() ? otherwise : "did you mean " + near + "?";
}

}  // namespace account
