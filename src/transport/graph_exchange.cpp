#include "transport/graph_exchange.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "transport/graph_answer.h"

namespace transport {

namespace {

constexpr std::size_t code_limit = 100;
constexpr std::size_t text_limit = 600;
constexpr std::size_t authenticate_limit = 4096;
// So much of a secret in a row is no accident.
constexpr std::size_t telling_bytes = 12;

bool quotes(std::string_view text, std::string_view secret) {
  for (std::size_t at = 0; at + telling_bytes <= text.size(); ++at) {
    if (secret.find(text.substr(at, telling_bytes)) != std::string_view::npos) return true;
  }
  return false;
}

// What a server says may quote what it was sent.
std::string fit_to_show(std::string_view text, std::size_t limit, std::string_view secret) {
  const std::string_view start = text.substr(0, limit);
  if (quotes(start, secret)) return "[...]";
  return base::clean(start, limit);
}

}  // namespace

net::HttpRequest http_of(const net::Record& request) {
  net::HttpRequest http;
  http.url = std::string(request.get("url"));
  http.ca_file = std::string(request.get("ca_file"));
  http.proxy = std::string(request.get("proxy"));
  http.connect_s = std::clamp<std::int64_t>(request.number("connect_s", 30), 1, 3600);
  http.timeout_s = std::clamp<std::int64_t>(request.number("whole_s", 600), 1, 172'800);
  http.bearer = base::Secret(request.get("token"));
  if (request.has("client_request_id")) {
    http.headers = {
        "client-request-id: " + base::clean(request.get("client_request_id"), code_limit),
        "return-client-request-id: true"};
  }
  http.http2 = true;
  return http;
}

net::Record record_of(const net::HttpAnswer& answer, std::string_view secret) {
  net::Record record("answer");
  record.put("status", std::to_string(answer.status));
  record.put("whole", answer.request_whole ? "1" : "0");
  record.put("retry_after", std::to_string(answer.retry_after_s));
  record.put("request_id", fit_to_show(answer.request_id, code_limit, secret));
  record.put("authenticate", fit_to_show(answer.authenticate, authenticate_limit, secret));
  const GraphFault fault = read_graph_fault(answer.body.reveal());
  record.put("code", fit_to_show(fault.code, code_limit, secret));
  record.put("message", fit_to_show(fault.message, text_limit, secret));
  for (std::size_t i = 0; i < fault.inner_codes.size(); ++i) {
    record.put("inner." + std::to_string(i), fit_to_show(fault.inner_codes[i], code_limit, secret));
  }
  return record;
}

}  // namespace transport
