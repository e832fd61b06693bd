#include "transport/graph_call.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/scratch.h"
#include "base/text.h"
#include "net/http_curl.h"
#include "transport/graph_body.h"
#include "transport/graph_exchange.h"
#include "transport/graph_items.h"

namespace transport {

namespace {

constexpr std::size_t draft_answer_bytes = std::size_t{8} * 1024 * 1024;
constexpr std::int64_t size_limit = 1'000'000'000'000;

enum class Body : std::uint8_t { none, nothing, message, attachment, slice, session };

struct Step {
  std::string_view name;
  const char* method;
  const char* content_type;
  Body body;
};
constexpr std::array steps = {
    Step{"draft", "POST", "text/plain", Body::message},
    Step{"session", "POST", "application/json", Body::session},
    Step{"attach", "POST", "application/json", Body::attachment},
    Step{"slice", "PUT", "application/octet-stream", Body::slice},
    Step{"ranges", "GET", "", Body::none},
    Step{"send", "POST", "application/json", Body::nothing},
    Step{"discard", "DELETE", "", Body::none},
};

net::Record failed(const base::Error& error) {
  net::Record answer("answer");
  net::put_error(answer, error);
  return answer;
}

base::Error not_understood() {
  return base::failure(base::Fault::protocol, "mailbearer-helper cannot read a request",
                       "install agent and helper of one version");
}

std::uint64_t number(const net::Record& request, const char* name) {
  return static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(request.number(name, 0), 0, size_limit));
}

UploadItem item_of(const net::Record& request) {
  return {std::string(request.get("name")), std::string(request.get("type")),
          std::string(request.get("content_id")), request.get("inline") == "1",
          number(request, "size")};
}

std::string content_range(const net::Record& request) {
  const std::uint64_t begin = number(request, "begin");
  return "Content-Range: bytes " + std::to_string(begin) + "-" +
         std::to_string(begin + number(request, "size") - 1) + "/" +
         std::to_string(number(request, "total"));
}

void fill(net::HttpRequest& http, Body body, const net::Record& request,
          const base::Scratch& file) {
  const Stretch stretch{number(request, "offset"), number(request, "size")};
  switch (body) {
    case Body::none:
      break;
    case Body::nothing:
      http.streamed = [](char*, std::size_t) { return std::size_t{0}; };
      http.new_connection = true;
      break;
    case Body::message:
      http.answer_limit_bytes = draft_answer_bytes;
      // A kept one that has been closed since would cost the draft.
      http.new_connection = true;
      send_as_base64(http, file, stretch);
      break;
    case Body::attachment: {
      Around around = attachment_text(item_of(request));
      send_as_base64(http, file, stretch, std::move(around.before), std::move(around.behind));
      break;
    }
    case Body::slice:
      http.headers.push_back(content_range(request));
      send_as_it_is(http, file, stretch);
      break;
    case Body::session:
      http.body = base::Secret(session_text(item_of(request)));
      break;
  }
}

bool is_at_or_below(const std::string& host, const std::string& domain) {
  return host == domain || host.ends_with("." + domain);
}

// Empty: the address may be used. Else the host, for a sentence.
base::Done judge_upload_url(const std::string& url, const net::Record& request) {
  const net::Origin graph = net::origin_of(std::string(request.get("url")));
  const net::Origin upload = net::origin_of(url);
  const auto refused = [&upload](const std::string& cause, const std::string& cure) {
    return base::failure(base::Fault::protocol,
                         cause + base::clean(upload.host.empty() ? "?" : upload.host, 60), cure);
  };
  if (!net::secret_may_travel(url) || upload.host.empty()) {
    return refused("Graph wants an upload without https, at ", "check graph_endpoint");
  }
  const bool same = upload.scheme == graph.scheme && upload.host == graph.host;
  if (same && upload.port == graph.port) return base::done();
  const std::vector<std::string> known = base::words(base::lower(request.get("upload_hosts")));
  const bool listed = std::any_of(known.begin(), known.end(), [&](const std::string& domain) {
    return is_at_or_below(upload.host, domain);
  });
  if (upload.scheme == "https" && upload.port == "443" && listed) return base::done();
  return refused("Graph wants the upload at an unknown host, ",
                 "if it is your provider's, add it to graph_upload_hosts");
}

net::Record answered(const net::HttpAnswer& http, const net::Record& request) {
  const std::string_view token = request.get("token");
  net::Record answer = record_of(http, token.empty() ? request.get("url") : token);
  if (http.status < 200 || http.status >= 300) return answer;
  ItemAnswer item = read_item(http.body.reveal());
  answer.put("id", item.id);
  if (item.next) answer.put("next", std::to_string(*item.next));
  if (!item.upload_url.empty()) {
    base::Done judged = judge_upload_url(std::string(item.upload_url.reveal()), request);
    if (!judged) return failed(judged.error());
    answer.put("upload_url", std::move(item.upload_url));
  }
  return answer;
}

}  // namespace

net::Record serve_graph_call(net::Record request, net::HttpClient& client) {
  const auto* const step = std::find_if(
      steps.begin(), steps.end(), [&](const Step& one) { return one.name == request.get("step"); });
  if (step == steps.end()) return failed(not_understood());
  base::Scratch file;
  if (request.attached.open()) {
    base::Result<base::Scratch> adopted = base::Scratch::adopt(std::move(request.attached));
    if (!adopted) return failed(adopted.error());
    file = std::move(*adopted);
  }
  net::HttpRequest http = http_of(request);
  http.method = step->method;
  http.content_type = step->content_type;
  fill(http, step->body, request, file);
  base::Result<net::HttpAnswer> answer = client.post(http);
  return answer ? answered(*answer, request) : failed(answer.error());
}

}  // namespace transport
