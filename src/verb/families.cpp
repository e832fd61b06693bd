#include "verb/families.h"

#include <string_view>

namespace verb {

std::string sign_in_site(const account::Account& account) {
  const std::string& url = account.token_endpoint;
  const std::size_t host = url.find("://");
  return host == std::string::npos ? std::string() : url.substr(0, url.find('/', host + 3));
}

namespace {

// Whether a provider, or one that it is based on, has preset something.
bool preset_by(const account::Account& account, std::string_view provider) {
  for (const account::Setting& setting : account.settings) {
    const std::size_t at = setting.source.find(" (provider ");
    if (at == std::string::npos) continue;
    if (std::string_view(setting.source).substr(at + 11).starts_with(provider)) return true;
  }
  return false;
}

}  // namespace

Family family_of(const account::Account& account) {
  if (preset_by(account, "microsoft") || preset_by(account, "azure-communication")) {
    return Family::microsoft;
  }
  return preset_by(account, "google") ? Family::google : Family::other;
}

}  // namespace verb
