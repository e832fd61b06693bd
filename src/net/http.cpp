#include "net/http.h"

#include "base/text.h"

namespace net {

bool secret_may_travel(std::string_view url) {
  if (base::starts_with_ignoring_case(url, "https://")) return true;
  for (const std::string_view near : {"http://127.0.0.1", "http://[::1]", "http://localhost"}) {
    if (!base::starts_with_ignoring_case(url, near)) continue;
    const std::string_view rest = url.substr(near.size());
    if (rest.empty() || rest.front() == ':' || rest.front() == '/') {
      // No user part that would make the host another one.
      return rest.substr(0, rest.find('/')).find('@') == std::string_view::npos;
    }
  }
  return false;
}

bool is_metadata_service(std::string_view url) {
  constexpr std::string_view service = "http://169.254.169.254/";
  return base::starts_with_ignoring_case(url, service);
}

}  // namespace net
