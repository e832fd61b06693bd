#include "token/machine_identity.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/text.h"
#include "token/oauth_request.h"

namespace token {

namespace {

constexpr std::size_t key_limit_bytes = 4096;
constexpr std::int64_t connect_s = 3;  // it is near, or it is not there

net::Record failed(const base::Error& error) {
  net::Record record("answer");
  net::put_error(record, error);
  return record;
}

bool is_arc_machine(const std::string& agent) {
  struct stat facts {};
  return stat(agent.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == 0;
}

net::HttpRequest request_to(const std::string& endpoint, const net::Record& request) {
  const bool metadata = net::is_metadata_service(endpoint);
  net::HttpRequest http;
  http.method = "GET";
  http.metadata_service = metadata;
  http.url = endpoint + (endpoint.find('?') == std::string::npos ? "?" : "&") +
             "api-version=" + (metadata ? "2018-02-01" : "2020-06-01") +
             "&resource=" + base::percent_encode(request.get("resource"));
  if (!request.get("client_id").empty()) {
    http.url += "&client_id=" + base::percent_encode(request.get("client_id"));
  }
  http.headers = {"Metadata: true"};
  http.ca_file = std::string(request.get("ca_file"));
  http.timeout_s = std::clamp<std::int64_t>(request.number("timeout", 30), 1, 600);
  http.connect_s = std::min(connect_s, http.timeout_s);
  return http;
}

base::Error bad_challenge(const std::string& why) {
  return base::failure(base::Fault::protocol,
                       "the identity endpoint of this machine names a key file that " + why,
                       "check that the Azure Arc agent runs: azcmagent show");
}

// "Basic realm=/var/opt/azcmagent/tokens/NAME.key": NAME.key, or empty.
std::string key_name(std::string_view challenge, const std::string& folder) {
  constexpr std::string_view start = "Basic realm=";
  if (!base::starts_with_ignoring_case(challenge, start)) return {};
  std::string_view path = base::trim(challenge.substr(start.size()));
  if (path.size() >= 2 && path.front() == '"' && path.back() == '"') {
    path = path.substr(1, path.size() - 2);
  }
  const std::string before = folder + "/";
  if (path.substr(0, before.size()) != before) return {};
  const std::string_view name = path.substr(before.size());
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    const char low = base::to_lower(c);
    return (low >= 'a' && low <= 'z') || base::is_digit(c) || c == '-' || c == '_' || c == '.';
  });
  return plain && name.size() > 4 && name.front() != '.' && name.ends_with(".key")
             ? std::string(name)
             : std::string();
}

base::Result<base::Secret> read_key(std::string_view challenge, const std::string& folder) {
  const std::string name = key_name(challenge, folder);
  if (name.empty()) return bad_challenge("is none of the Azure Arc agent");
  const base::Fd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat above {};
  if (!directory.open() || fstat(directory.get(), &above) != 0) {
    return base::failure_errno(base::Fault::config, "cannot open " + folder, errno);
  }
  const base::Fd file(
      openat(directory.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat facts {};
  if (!file.open() || fstat(file.get(), &facts) != 0) {
    base::Error error = base::failure_errno(base::Fault::config,
                                            "cannot read the key of the Azure Arc agent", errno);
    error.cure = "let the sending user be root or in group himds";
    return error;
  }
  if (!S_ISREG(facts.st_mode) || (facts.st_uid != 0 && facts.st_uid != above.st_uid)) {
    return bad_challenge("is not the Azure Arc agent's");
  }
  if (facts.st_size > static_cast<off_t>(key_limit_bytes)) return bad_challenge("is over 4 KiB");
  base::Result<base::Secret> key =
      base::read_secret(file.get(), key_limit_bytes, folder + "/" + name);
  if (!key) return key;
  base::Secret trimmed(base::trim(key->reveal()));
  if (trimmed.empty() || base::has_control(trimmed.reveal())) {
    return bad_challenge("holds no key");
  }
  return trimmed;
}

}  // namespace

net::Record serve_identity_request(const net::Record& request, net::HttpClient& client,
                                   const ArcPlaces& arc) {
  std::string endpoint(request.get("url"));
  if (net::is_metadata_service(endpoint) && is_arc_machine(arc.agent)) endpoint = arc.endpoint;
  net::HttpRequest http = request_to(endpoint, request);
  base::Result<net::HttpAnswer> answer = client.post(http);
  // Never for the link-local service, whose challenge would not be Arc's.
  if (answer && answer->status == 401 && !http.metadata_service) {
    base::Result<base::Secret> key = read_key(answer->authenticate, arc.keys);
    if (!key) return failed(key.error());
    http.basic = std::move(*key);
    answer = client.post(http);
  }
  if (!answer) {
    base::Error error = std::move(answer).error();
    if (http.metadata_service) {
      error.cure = "grant = managed-identity works on a machine of Azure only; try again";
    }
    return failed(error);
  }
  return token_record(*answer, request);
}

}  // namespace token
