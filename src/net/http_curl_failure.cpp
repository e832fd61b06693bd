#include "net/http_curl_failure.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/text.h"

namespace net {

namespace {

// "login.example.org" of "https://login.example.org/x", for sentences.
std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  return base::clean(url.substr(begin, url.find_first_of("/?#", begin) - begin), 80);
}

constexpr std::string_view no_way = "cannot reach ";

base::Error unreachable(const std::string& host, const std::string& reason) {
  return base::failure(base::Fault::unavailable, std::string(no_way) + host + " (" + reason + ")",
                       "try again");
}

base::Error connect_failure(CURL* handle, const std::string& host, const char* words) {
  long sys = 0;
  curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &sys);
  const char* reason = sys != 0 ? strerrordesc_np(static_cast<int>(sys)) : nullptr;
  return unreachable(host, reason != nullptr ? reason : base::clean(words, 120));
}

}  // namespace

base::Error transfer_failure(const Failure& failure) {
  const HttpRequest& request = failure.request;
  const std::string host = host_of(request.url);
  const std::string said = base::clean(failure.words, 160);
  switch (failure.code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
      // libcurl's code for HTTP/0.9, too: anything may listen on a port.
      if (base::starts_with_ignoring_case(request.url, "https://")) {
        return base::failure(base::Fault::unavailable, "answer of " + host + " is not HTTP",
                             "check the address in the configuration");
      }
      [[fallthrough]];
    case CURLE_URL_MALFORMAT:
      return base::failure(base::Fault::config, "not an https:// address: " + host,
                           "check the address in the configuration");
    case CURLE_COULDNT_RESOLVE_HOST:
      return unreachable(host, "name not found");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return unreachable(host, "name of https_proxy not found");
    case CURLE_OPERATION_TIMEDOUT:
      return unreachable(host, "timed out after " + std::to_string(request.timeout_s) + " s");
    case CURLE_COULDNT_CONNECT:
      return connect_failure(failure.handle, host, failure.words);
    case CURLE_SSL_CACERT_BADFILE:
      return base::failure(base::Fault::config, "cannot use ca_file " + request.ca_file,
                           "check ca_file");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
      return base::failure(base::Fault::unavailable, "TLS with " + host + " failed (" + said + ")",
                           "check ca_file and clock, then try again");
    case CURLE_WRITE_ERROR:
      if (!failure.too_large) break;
      return base::failure(base::Fault::unavailable,
                           "answer of " + host + " is over " +
                               std::to_string(request.answer_limit_bytes / 1024 / 1024) + " MiB",
                           "check the address in the configuration");
    default:
      break;
  }
  return unreachable(host, said.empty() ? curl_easy_strerror(failure.code) : said);
}

base::Error without_answer(base::Error broken) {
  broken.fault = base::Fault::outcome_unknown;
  broken.kind = base::class_of(broken.fault);
  const std::string_view cause = broken.cause;
  if (cause.starts_with(no_way)) {
    broken.cause = "no answer from " + std::string(cause.substr(no_way.size()));
  }
  return broken;
}

}  // namespace net
