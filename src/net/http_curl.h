// http_curl: the HttpClient that speaks to the world, by libcurl, which no other file but
// http_curl_failure sees. TLS 1.2 or newer, chain and name verified; HTTPS only; HTTP/1.1, or 2
// where a request wants it; no redirect, no retry, no cookie, no netrc, no compression; the
// environment is not asked. One client keeps its connections for the next request. Limits: answer
// as the request says (the rest is not read), the request's deadline for all of it. Linked by
// mailbearer-helper only. Trusts: nothing that the server says.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/http.h"

namespace net {

class CurlClient : public HttpClient {
 public:
  CurlClient();
  ~CurlClient() override;
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;
  base::Result<HttpAnswer> post(const HttpRequest& request) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Where a request for this URL would go, as libcurl itself reads it; lower case, and the port also
// where the URL has none. All empty: no URL, or one with a user name.
struct Origin {
  std::string scheme{};
  std::string host{};
  std::string port{};
};
Origin origin_of(const std::string& url);

// Retry-After (RFC 9110 10.2.3): seconds or a date, clamped to [1, 3600]; 0: not understood.
std::int64_t retry_after_seconds(std::string_view value, std::int64_t now);

}  // namespace net
