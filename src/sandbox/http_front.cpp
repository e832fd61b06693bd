#include "sandbox/http_front.h"

// As the packaged library was built: the server classes differ otherwise.
#define CPPHTTPLIB_OPENSSL_SUPPORT
#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <thread>

#include "base/text.h"
#include "sandbox/options.h"

namespace sandbox {

namespace {

constexpr std::size_t body_limit_bytes = 4 * 1024 * 1024;
constexpr std::size_t path_limit = 1000;
constexpr std::size_t thread_count = 64;
constexpr std::int64_t slice_ms = 50;
constexpr std::int64_t hang_ms = 600'000;
constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t requests_per_connection = 1000;

WebRequest to_request(const httplib::Request& from) {
  WebRequest request;
  request.method = from.method;
  request.path = from.path;
  request.query = from.params;
  request.content_type = from.get_header_value("Content-Type");
  request.authorization = from.get_header_value("Authorization");
  for (const auto& [name, value] : from.headers) request.headers.emplace(base::lower(name), value);
  return request;
}

void read_form(WebRequest& request) {
  if (request.content_type.rfind("application/x-www-form-urlencoded", 0) != 0) return;
  httplib::Params form;
  httplib::detail::parse_query_text(request.body, form);
  request.form = std::move(form);
}

// The body so many times, in pieces: a large answer costs no memory.
void set_repeated(httplib::Response& into, const WebAnswer& answer) {
  const std::size_t total = answer.body.size() * static_cast<std::size_t>(answer.repeat);
  std::string block = answer.body;
  while (block.size() < piece_bytes) block += block;
  into.set_content_provider(
      total, answer.content_type,
      [block](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        const std::size_t at = offset % block.size();
        return sink.write(block.data() + at, std::min(length, block.size() - at));
      });
}

void break_off(const SSL* ssl, WebEnd end, const std::atomic<bool>& stopping) {
  const int fd = SSL_get_fd(ssl);
  for (std::int64_t waited = 0; end == WebEnd::hang && waited < hang_ms && !stopping;
       waited += slice_ms) {
    pollfd peer{fd, POLLRDHUP, 0};
    if (poll(&peer, 1, static_cast<int>(slice_ms)) > 0) break;
  }
  if (end == WebEnd::garbage) {
    // Below TLS: the client finds no record there.
    constexpr std::string_view junk = "\x01\x02 this is no TLS record \xff\r\n\r\n";
    static_cast<void>(send(fd, junk.data(), junk.size(), MSG_NOSIGNAL));
  }
  if (end == WebEnd::reset) {
    const sockaddr nobody{AF_UNSPEC, {}};  // dissolves the connection by a RST
    static_cast<void>(connect(fd, &nobody, sizeof nobody));
  }
  shutdown(fd, SHUT_RDWR);
}

// The rest of the body is never read: the connection ends behind the answer.
void end_behind(const httplib::Request& from, httplib::Response& into) {
  if (from.ssl == nullptr || into.body.empty()) return;
  const std::string body = std::move(into.body);
  into.body.clear();
  into.set_header("Connection", "close");
  into.set_content_provider(
      body.size(), into.get_header_value("Content-Type"),
      [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        return sink.write(body.data() + offset, length);
      },
      [fd = SSL_get_fd(from.ssl)](bool) { shutdown(fd, SHUT_WR); });
}

}  // namespace

struct HttpFront::Servers {
  std::list<httplib::SSLServer> list;
  std::vector<std::thread> threads;
  std::atomic<bool> stopping{false};
  WebService service;
  WebGate gate;

  void give(const httplib::Request& from, const WebAnswer& answer, httplib::Response& into) {
    for (std::int64_t waited = 0; waited < answer.delay_ms && !stopping; waited += slice_ms) {
      poll(nullptr, 0, static_cast<int>(slice_ms));
    }
    if (answer.end != WebEnd::answer && from.ssl != nullptr) {
      break_off(from.ssl, answer.end, stopping);
      return;
    }
    into.status = answer.status;
    for (const auto& [name, value] : answer.headers) into.set_header(name, value);
    if (answer.repeat > 1 && !answer.body.empty()) {
      set_repeated(into, answer);
    } else if (!answer.body.empty()) {
      into.set_content(answer.body, answer.content_type);
    }
  }

  void furnish(httplib::SSLServer& server) {
    server.new_task_queue = [] { return new httplib::ThreadPool(thread_count); };
    server.set_payload_max_length(body_limit_bytes);
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(requests_per_connection);
    // The library matches paths by std::regex, whose depth grows with the path.
    server.set_pre_routing_handler([](const httplib::Request& from, httplib::Response& into) {
      if (from.path.size() <= path_limit) return httplib::Server::HandlerResponse::Unhandled;
      into.status = 414;
      return httplib::Server::HandlerResponse::Handled;
    });
    server.Get(".*", [this](const httplib::Request& from, httplib::Response& into) {
      give(from, service(to_request(from)), into);
    });
    const auto with_body = [this](const httplib::Request& from, httplib::Response& into,
                                  const httplib::ContentReader& reader) {
      take(from, into, reader);
    };
    server.Post(".*", with_body);
    server.Put(".*", with_body);
    server.Delete(".*", with_body);
  }

  void take(const httplib::Request& from, httplib::Response& into,
            const httplib::ContentReader& reader) {
    WebRequest request = to_request(from);
    if (gate) {
      if (const std::optional<WebAnswer> early = gate(request)) {
        give(from, *early, into);
        if (early->end == WebEnd::answer) end_behind(from, into);
        return;
      }
    }
    // Without either the library would read until the connection ends.
    if (from.has_header("Content-Length") || from.has_header("Transfer-Encoding")) {
      const bool whole = reader([&](const char* bytes, std::size_t count) {
        if (request.body.size() + count > body_limit_bytes) return false;
        request.body.append(bytes, count);
        return true;
      });
      request.too_large = !whole;
    }
    read_form(request);
    give(from, service(request), into);
  }
};

HttpFront::HttpFront() : servers_(std::make_unique<Servers>()) {}
HttpFront::~HttpFront() {
  stop();
}

base::Done HttpFront::bind(const TlsIdentity& tls, const std::vector<std::string>& addresses,
                           std::uint16_t port) {
  for (const std::string& address : addresses) {
    if (!is_loopback(address)) {
      return base::failure(base::Fault::usage, address + " is not a loopback address");
    }
    httplib::SSLServer& server = servers_->list.emplace_back(tls.certificate(), tls.key());
    if (!server.is_valid()) {
      return base::failure(base::Fault::bug, "the HTTPS server does not take its certificate");
    }
    servers_->furnish(server);
    const int wanted = port_ == 0 ? port : port_;
    const int got = wanted == 0 ? server.bind_to_any_port(address)
                                : (server.bind_to_port(address, wanted) ? wanted : -1);
    if (got > 0) {
      port_ = static_cast<std::uint16_t>(got);
      continue;
    }
    servers_->list.pop_back();
    if (servers_->list.empty()) {
      return base::failure(base::Fault::cannot_create,
                           "cannot listen on " + address + " port " + std::to_string(wanted));
    }
  }
  return base::done();
}

void HttpFront::start(WebService service, WebGate gate) {
  servers_->service = std::move(service);
  servers_->gate = std::move(gate);
  for (httplib::SSLServer& server : servers_->list) {
    servers_->threads.emplace_back([&server] { server.listen_after_bind(); });
  }
  for (const httplib::SSLServer& server : servers_->list) {
    for (int i = 0; i < 1000 && !server.is_running(); ++i) poll(nullptr, 0, 1);
  }
}

void HttpFront::stop() {
  servers_->stopping = true;
  for (httplib::SSLServer& server : servers_->list) server.stop();
  for (std::thread& thread : servers_->threads) thread.join();
  servers_->threads.clear();
}

}  // namespace sandbox
