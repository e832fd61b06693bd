// section: the keys of one section held against the key table. Internal to the room.
// Errors: appended to `faults`, each naming file, line, key and the nearest known one; what is
// faulty is left out of the settings.
#pragma once

#include <string>
#include <vector>

#include "account/account.h"
#include "account/config_file.h"
#include "account/keys.h"

namespace account {

std::vector<Setting> check_section(const Section& section, Place where,
                                   std::vector<base::Error>& faults);

const Setting* find_setting(const std::vector<Setting>& settings, std::string_view key);
// Its value, or empty.
std::string value_of(const std::vector<Setting>& settings, std::string_view key);

// "FILE:LINE: CAUSE", Fault::config.
base::Error fault_at(const std::string& place, const std::string& cause,
                     const std::string& cure = {});
// "did you mean x?", or `otherwise` when nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known,
                         const std::string& otherwise = {});

}  // namespace account
