// http: one HTTPS request and its answer. One of the four seams for tests; the real kind is
// http_curl. No redirect is followed, no retry made, no environment believed. Limits: answer body 1
// MiB, unless the request says otherwise. Errors: Fault::unavailable with the reason (name not
// found, timed out after 30 s, certificate …); Fault::outcome_unknown where a streamed body had
// left whole and no answer came. Of a streamed request a status is an answer, even if what follows
// it is broken or too long.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace net {

// https, or http to this very machine by an address or name that no resolver changes.
bool secret_may_travel(std::string_view url);
// http to 169.254.169.254 and nothing else: the metadata service of a virtual machine, which its
// host answers on the link.
bool is_metadata_service(std::string_view url);

// Up to `room` bytes into `into`; 0 at the end.
using BodySource = std::function<base::Result<std::size_t>(char* into, std::size_t room)>;

struct HttpRequest {
  std::string url{};
  std::string method = "POST";    // or PUT; GET and DELETE have no body
  bool metadata_service = false;  // may go to is_metadata_service(), in the clear
  std::string content_type = "application/x-www-form-urlencoded";
  base::Secret body{};
  std::vector<std::string> headers{};  // "Name: value"; no secrets
  base::Secret bearer{};               // Authorization: Bearer, when not empty
  base::Secret basic{};                // Authorization: Basic, sent as it is, when not empty
  std::string ca_file{};               // else the hashed directory of the system
  std::string proxy{};                 // only from configuration
  std::int64_t timeout_s = 30;         // connect and all
  std::int64_t connect_s = 0;          // of it, for connecting; 0: no limit of its own
  bool http2 = false;                  // where the server offers it
  std::size_t answer_limit_bytes = std::size_t{1024} * 1024;
  // On a connection of its own. libcurl sends a request without a body again when a kept connection
  // turns out to be closed, and cannot know whether the first one was obeyed.
  bool new_connection = false;
  // A body that is read while it is sent, `streamed_bytes` long, instead of `body`. It is sent
  // once: there is no way to begin it again. An empty one is sent once with `new_connection`.
  BodySource streamed{};
  std::uint64_t streamed_bytes = 0;
};

struct HttpAnswer {
  int status = 0;
  std::string content_type{};
  std::int64_t retry_after_s =
      0;  // Retry-After in seconds or as a date, clamped to [1, 3600]; 0: absent
  base::Secret body{};
  std::string request_id{};    // the server's name for the request
  std::string authenticate{};  // WWW-Authenticate
  bool request_whole = true;   // it had left to its last byte
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Whatever its method.
  virtual base::Result<HttpAnswer> post(const HttpRequest& request) = 0;
};

}  // namespace net
