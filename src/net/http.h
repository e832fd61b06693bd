// http: one HTTPS request and its answer. One of the four seams for tests; the real kind is
// http_curl. No redirect is followed, no retry made, no environment believed. Limits: answer body 1
// MiB. Errors: Fault::unavailable with the reason (name not found, timed out after 30 s,
// certificate …).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace net {

// https, or http to this very machine by an address or name that no resolver changes.
bool secret_may_travel(std::string_view url);

struct HttpRequest {
  std::string url{};
  std::string content_type = "application/x-www-form-urlencoded";
  base::Secret body{};
  std::vector<std::string> headers{};  // "Name: value"; no secrets
  base::Secret bearer{};               // Authorization: Bearer, when not empty
  std::string ca_file{};               // else the hashed directory of the system
  std::string proxy{};                 // only from configuration
  std::int64_t timeout_s = 30;         // connect and all
};

struct HttpAnswer {
  int status = 0;
  std::string content_type{};
  std::int64_t retry_after_s =
      0;  // Retry-After in seconds or as a date, clamped to [1, 3600]; 0: absent
  base::Secret body{};
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual base::Result<HttpAnswer> post(const HttpRequest& request) = 0;
};

}  // namespace net
