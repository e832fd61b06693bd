#include "transport/graph_request.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "base/scratch.h"
#include "base/seal.h"
#include "base/text.h"
#include "transport/graph_answer.h"

namespace transport {

namespace {

// Divisible by three, so that only the last piece is padded.
constexpr std::size_t piece_bytes = std::size_t{3} * 8 * 1024;
constexpr std::size_t code_limit = 100;
constexpr std::size_t text_limit = 600;
constexpr std::size_t authenticate_limit = 4096;
// So much of a token in a row is no accident.
constexpr std::size_t telling_bytes = 12;

// The message's base64, made as it is asked for.
class Base64Body {
 public:
  explicit Base64Body(const base::Scratch& message) : message_(message) {}

  std::uint64_t size_bytes() const { return (message_.size_bytes() + 2) / 3 * 4; }

  base::Result<std::size_t> read(char* into, std::size_t room) {
    if (given_ == encoded_.size()) {
      base::Done more = next_piece();
      if (!more) return std::move(more).error();
    }
    const std::size_t count = std::min(room, encoded_.size() - given_);
    std::memcpy(into, encoded_.data() + given_, count);
    given_ += count;
    return count;
  }

 private:
  base::Done next_piece() {
    std::array<char, piece_bytes> raw{};
    std::size_t filled = 0;
    while (filled < raw.size()) {
      base::Result<std::size_t> got =
          message_.read_at(offset_ + filled, raw.data() + filled, raw.size() - filled);
      if (!got) return std::move(got).error();
      if (*got == 0) break;
      filled += *got;
    }
    offset_ += filled;
    encoded_ = base::base64(std::string_view(raw.data(), filled));
    given_ = 0;
    return base::done();
  }

  const base::Scratch& message_;
  std::uint64_t offset_ = 0;
  std::string encoded_{};
  std::size_t given_ = 0;
};

bool quotes(std::string_view text, std::string_view token) {
  for (std::size_t at = 0; at + telling_bytes <= text.size(); ++at) {
    if (token.find(text.substr(at, telling_bytes)) != std::string_view::npos) return true;
  }
  return false;
}

// What a server says may quote what it was sent.
std::string fit_to_show(std::string_view text, std::size_t limit, std::string_view token) {
  const std::string_view start = text.substr(0, limit);
  if (quotes(start, token)) return "[...]";
  return base::clean(start, limit);
}

net::HttpRequest post_of(const net::Record& request) {
  net::HttpRequest http;
  http.url = std::string(request.get("url"));
  http.content_type = "text/plain";
  http.ca_file = std::string(request.get("ca_file"));
  http.proxy = std::string(request.get("proxy"));
  http.connect_s = std::clamp<std::int64_t>(request.number("connect_s", 30), 1, 3600);
  http.timeout_s = std::clamp<std::int64_t>(request.number("whole_s", 600), 1, 172'800);
  http.bearer = base::Secret(request.get("token"));
  http.headers = {"client-request-id: " + base::clean(request.get("client_request_id"), code_limit),
                  "return-client-request-id: true"};
  http.http2 = true;
  return http;
}

net::Record record_of(const net::HttpAnswer& answer, std::string_view token) {
  net::Record record("answer");
  record.put("status", std::to_string(answer.status));
  record.put("whole", answer.request_whole ? "1" : "0");
  record.put("retry_after", std::to_string(answer.retry_after_s));
  record.put("request_id", fit_to_show(answer.request_id, code_limit, token));
  record.put("authenticate", fit_to_show(answer.authenticate, authenticate_limit, token));
  const GraphFault fault = read_graph_fault(answer.body.reveal());
  record.put("code", fit_to_show(fault.code, code_limit, token));
  record.put("message", fit_to_show(fault.message, text_limit, token));
  for (std::size_t i = 0; i < fault.inner_codes.size(); ++i) {
    record.put("inner." + std::to_string(i), fit_to_show(fault.inner_codes[i], code_limit, token));
  }
  return record;
}

}  // namespace

net::Record serve_graph_request(net::Record request, net::HttpClient& client) {
  net::Record failed("answer");
  if (!request.attached.open()) {
    net::put_error(failed,
                   base::failure(base::Fault::protocol, "no message came with the request"));
    return failed;
  }
  base::Result<base::Scratch> message = base::Scratch::adopt(std::move(request.attached));
  if (!message) {
    net::put_error(failed, message.error());
    return failed;
  }
  Base64Body body(*message);
  net::HttpRequest http = post_of(request);
  http.streamed_bytes = body.size_bytes();
  http.streamed = [&body](char* into, std::size_t room) { return body.read(into, room); };
  base::Result<net::HttpAnswer> answer = client.post(http);
  if (answer) return record_of(*answer, request.get("token"));
  net::put_error(failed, answer.error());
  return failed;
}

}  // namespace transport
