#include "verb/families.h"

#include <string_view>

namespace verb {

std::string sign_in_site(const account::Account& account) {
  const std::string& url = account.token_endpoint;
  const std::size_t host = url.find("://");
  return host == std::string::npos ? std::string() : url.substr(0, url.find('/', host + 3));
}

Family family_of(const account::Account& account) {
  const std::string site = sign_in_site(account);
  for (const char* host : {"https://login.microsoftonline.",
                           "https://login.partner.microsoftonline.", "http://169.254.169.254"}) {
    if (site.starts_with(host)) return Family::microsoft;
  }
  if (account.provider.starts_with("microsoft")) return Family::microsoft;
  if (account.provider == "google" || site == "https://oauth2.googleapis.com") {
    return Family::google;
  }
  return Family::other;
}

}  // namespace verb
