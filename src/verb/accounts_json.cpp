#include "verb/accounts_json.h"

#include <nlohmann/json.hpp>

#include "account/keys.h"

namespace verb {

namespace {

using nlohmann::ordered_json;

std::string setting(const account::Account& account, std::string_view key) {
  for (const account::Setting& each : account.settings) {
    if (each.key == key) return each.value;
  }
  return {};
}

ordered_json one(const account::Account& account, bool is_default) {
  ordered_json out;
  out["name"] = account.name;
  out["default"] = is_default;
  out["where"] = account.where;
  out["provider"] = account.provider;
  out["user"] = account.user;
  out["from"] = account.from;
  out["transport"] = setting(account, "transport");
  out["grant"] = setting(account, "grant");
  out["keyring"] = setting(account, "keyring");
  if (account.broken) {
    out["fault"] = account.broken->cause;
    out["cure"] = account.broken->cure;
  }
  return out;
}

}  // namespace

std::string accounts_json(const account::Configuration& configuration) {
  ordered_json out = ordered_json::array();
  for (const account::Account& each : configuration.accounts) {
    out.push_back(one(each, each.name == configuration.default_account));
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace verb
