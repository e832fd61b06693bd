// web: one HTTP request and its answer, as the services of the sandbox see them. Plain values; the
// HTTP library is behind http_front. Limits: a request body of 4 MiB, set there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sandbox {

using Parameters = std::multimap<std::string, std::string>;

struct WebRequest {
  std::string method{};
  std::string path{};
  Parameters query{};
  Parameters form{};  // of an application/x-www-form-urlencoded body
  std::string content_type{};
  std::string authorization{};
  std::string body{};
};

struct WebAnswer {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body{};
  std::int64_t repeat = 1;    // the body so many times
  std::int64_t delay_ms = 0;  // waited before the answer
  bool close = false;         // no answer: the connection ends
  std::vector<std::pair<std::string, std::string>> headers{};
};

using WebService = std::function<WebAnswer(const WebRequest&)>;

// The first value, or empty.
inline std::string parameter(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::string percent_encode(std::string_view text);  // RFC 3986: all but the unreserved
std::string html_escape(std::string_view text);

}  // namespace sandbox
