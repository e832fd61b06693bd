// build: one account from its section, what [mailbearer] says for all, and its provider's presets.
// Internal to the room. Order of strength: [account], [mailbearer], provider, default.
// Placeholders in endpoints, hosts, scopes and auth_user are filled in here: {tenant}, {user},
// {dashed_domain} (the domain of `user`, dots as hyphens: contoso-com).
#pragma once

#include <string>
#include <vector>

#include "account/configuration.h"
#include "account/providers.h"

namespace account {

struct AccountSources {
  const Section* section = nullptr;
  std::string name{};
  const std::vector<Setting>* main = nullptr;
  const Providers* providers = nullptr;
  const ConfigurationPaths* paths = nullptr;
};

// Faults of the section are appended (each with the account's name), the first makes it broken.
Account build_account(const AccountSources& sources, std::vector<base::Error>& faults);

// What an account needs beyond sound values: user, endpoints, client id, keys that fit each other.
void check_requirements(const Account& account, Profile profile, std::vector<base::Error>& faults);

}  // namespace account
