// web: one HTTP request and its answer, as the services of the sandbox see them. Plain values; the
// HTTP library is behind http_front. Limits: a request body of 4 MiB, set there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
  Parameters headers{};  // names in lower case
  std::string body{};
  bool too_large = false;        // the body was over the limit: it is not whole
  std::shared_ptr<void> held{};  // what the gate took for as long as the request is worked on
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

// How an exchange ends: with the answer, or without one.
enum class WebEnd : std::uint8_t { answer, close, reset, hang, garbage };

struct WebAnswer {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body{};
  std::int64_t repeat = 1;    // the body so many times
  std::int64_t delay_ms = 0;  // waited before the answer
  WebEnd end = WebEnd::answer;
  std::vector<std::pair<std::string, std::string>> headers{};
};

using WebService = std::function<WebAnswer(const WebRequest&)>;
// Asked when the head is there and the body is not: an answer here ends the exchange before the
// body is read.
using WebGate = std::function<std::optional<WebAnswer>(WebRequest&)>;

// The first value, or empty.
inline std::string parameter(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

}  // namespace sandbox
