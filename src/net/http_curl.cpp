#include "net/http_curl.h"

#include <curl/curl.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/clock.h"
#include "base/text.h"
#include "net/http_curl_failure.h"

namespace net {

namespace {

constexpr std::int64_t longest_delay_s = 3600;
constexpr const char* system_trust = "/etc/ssl/certs";

// libcurl keeps request and answer in buffers of its own: they are wiped when it frees them
// (facts, finding 11: 6 copies left without, 2 with).
void free_wiped(void* memory) {
  if (memory == nullptr) return;
  explicit_bzero(memory, malloc_usable_size(memory));
  std::free(memory);
}

void* grow_wiped(void* memory, std::size_t size) {
  if (memory == nullptr) return std::malloc(size);
  void* grown = std::malloc(size);
  if (grown == nullptr) return nullptr;
  std::memcpy(grown, memory, std::min(size, malloc_usable_size(memory)));
  free_wiped(memory);
  return grown;
}

bool library_ready() {
  static const bool ready = curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, free_wiped,
                                                 grow_wiped, strdup, std::calloc) == CURLE_OK;
  return ready;
}

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void add(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) std::abort();
  static_cast<void>(list.release());
  list.reset(longer);
}

struct Receiver {
  base::Secret body{};
  std::size_t limit = 0;
  bool too_large = false;
};

std::size_t receive(char* bytes, std::size_t one, std::size_t count, void* user) {
  auto* receiver = static_cast<Receiver*>(user);
  const std::size_t size = one * count;
  if (receiver->body.size() + size > receiver->limit) {
    receiver->too_large = true;
    return 0;  // any other number than `size` ends the transfer
  }
  receiver->body.append(std::string_view(bytes, size));
  return size;
}

// A body on its way out.
struct Sender {
  const HttpRequest* request = nullptr;
  base::Done read = base::done();
  std::uint64_t given = 0;   // what libcurl has taken
  bool begun_again = false;  // libcurl wanted to send it anew
};

std::size_t send(char* into, std::size_t one, std::size_t count, void* user) {
  auto* sender = static_cast<Sender*>(user);
  base::Result<std::size_t> got = sender->request->streamed(into, one * count);
  if (got) {
    sender->given += *got;
    return *got;
  }
  sender->read = std::move(got).error();
  return CURL_READFUNC_ABORT;
}

// libcurl would send a request again when a kept connection turns out to be closed.
int never_again(void* user, curl_off_t, int) {
  static_cast<Sender*>(user)->begun_again = true;
  return CURL_SEEKFUNC_FAIL;
}

void set_trust(CURL* handle, const HttpRequest& request) {
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  // Both are always set: libcurl's own default is the bundle, which takes 20 ms to parse.
  const bool own = !request.ca_file.empty();
  curl_easy_setopt(handle, CURLOPT_CAINFO, own ? request.ca_file.c_str() : nullptr);
  curl_easy_setopt(handle, CURLOPT_CAPATH, own ? nullptr : system_trust);
}

void set_route(CURL* handle, const HttpRequest& request) {
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  const bool near = secret_may_travel(request.url) ||
                    (request.metadata_service && is_metadata_service(request.url));
  const bool plain = near && base::starts_with_ignoring_case(request.url, "http://");
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  // An empty text, not a null pointer: it also silences the proxy variables of the environment.
  curl_easy_setopt(handle, CURLOPT_PROXY, request.proxy.c_str());
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "");
  curl_easy_setopt(
      handle, CURLOPT_HTTP_VERSION,
      static_cast<long>(request.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  if (request.new_connection) curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_s * 1000));
  curl_easy_setopt(
      handle, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>((request.connect_s > 0 ? request.connect_s : request.timeout_s) * 1000));
}

void set_stream(CURL* handle, const HttpRequest& request, Sender& sender) {
  sender.request = &request;
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request.streamed_bytes));
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, send);
  curl_easy_setopt(handle, CURLOPT_READDATA, &sender);
  curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, never_again);
  curl_easy_setopt(handle, CURLOPT_SEEKDATA, &sender);
}

bool has_body(const HttpRequest& request) {
  return request.method != "GET" && request.method != "DELETE";
}

void set_method(CURL* handle, const HttpRequest& request) {
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_body(CURL* handle, const HttpRequest& request, Receiver& receiver, Sender& sender) {
  receiver.limit = request.answer_limit_bytes;
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &receiver);
  if (!has_body(request)) {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    if (request.method != "GET") set_method(handle, request);
    return;
  }
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  if (request.method != "POST") set_method(handle, request);
  if (request.streamed) return set_stream(handle, request, sender);
  const std::string_view body = request.body.reveal();
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
}

List header_lines(const HttpRequest& request) {
  List list;
  if (has_body(request)) add(list, "Content-Type: " + request.content_type);
  add(list, "Accept: application/json");
  add(list, "Expect:");  // no wait for "100 Continue"
  for (const std::string& line : request.headers) add(list, line);
  if (!request.basic.empty()) {
    std::string line = "Authorization: Basic " + std::string(request.basic.reveal());
    add(list, line);
    base::wipe(line);  // libcurl's copy is wiped when it is freed
  }
  return list;
}

long status_of(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// Whether the streamed request has left to its last byte, as far as libcurl can tell. When it
// wanted to begin again it has forgotten what left the first time: all that it had taken may have.
bool left_whole(CURL* handle, const Sender& sender) {
  if (sender.begun_again) return sender.given >= sender.request->streamed_bytes;
  long head = 0;
  curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &head);
  if (head == 0) return false;
  curl_off_t sent = 0;
  curl_easy_getinfo(handle, CURLINFO_SIZE_UPLOAD_T, &sent);
  return sent >= 0 && static_cast<std::uint64_t>(sent) >= sender.request->streamed_bytes;
}

std::string field_of(CURL* handle, const char* name, std::size_t limit) {
  curl_header* found = nullptr;
  if (curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return {};
  return base::clean(found->value, limit);
}

HttpAnswer answer_of(CURL* handle, Receiver& receiver) {
  HttpAnswer answer;
  answer.status = static_cast<int>(status_of(handle));
  const char* type = nullptr;
  curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) answer.content_type = base::clean(type, 100);
  curl_header* found = nullptr;
  if (curl_easy_header(handle, "Retry-After", 0, CURLH_HEADER, -1, &found) == CURLHE_OK) {
    answer.retry_after_s = retry_after_seconds(found->value, base::wall_seconds());
  }
  answer.request_id = field_of(handle, "request-id", 100);
  answer.authenticate = field_of(handle, "WWW-Authenticate", 4096);
  answer.body = std::move(receiver.body);
  return answer;
}

// What became of a request whose body cannot be sent again.
base::Result<HttpAnswer> outcome_of_stream(CURL* handle, Receiver& receiver, base::Error broken,
                                           const Sender& sender) {
  const bool whole = left_whole(handle, sender);
  if (status_of(handle) >= 200) {
    HttpAnswer answer = answer_of(handle, receiver);
    answer.request_whole = whole;
    return answer;
  }
  if (!sender.read) return sender.read.error();
  if (whole) return without_answer(std::move(broken));
  return broken;
}

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

}  // namespace

Origin origin_of(const std::string& url) {
  Origin origin;
  const std::unique_ptr<CURLU, FreeUrl> parsed(library_ready() ? curl_url() : nullptr);
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      !part_of(parsed.get(), CURLUPART_USER, 0).empty()) {
    return origin;
  }
  origin.scheme = base::lower(part_of(parsed.get(), CURLUPART_SCHEME, 0));
  origin.host = base::lower(part_of(parsed.get(), CURLUPART_HOST, 0));
  origin.port = part_of(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  return origin;
}

struct CurlClient::State {
  std::unique_ptr<CURL, FreeHandle> handle{library_ready() ? curl_easy_init() : nullptr};
};

CurlClient::CurlClient() : state_(std::make_unique<State>()) {}
CurlClient::~CurlClient() = default;

base::Result<HttpAnswer> CurlClient::post(const HttpRequest& request) {
  CURL* handle = state_->handle.get();
  if (handle == nullptr) return base::failure(base::Fault::os, "cannot start libcurl");
  curl_easy_reset(handle);  // options only; connections stay
  std::array<char, CURL_ERROR_SIZE> words{};
  Receiver receiver;
  const List lines = header_lines(request);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words.data());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, lines.get());
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "mailbearer/" MAILBEARER_VERSION);
  if (!request.bearer.empty()) {
    std::string token(request.bearer.reveal());
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, token.c_str());
    base::wipe(token);  // libcurl has made its copy
  }
  set_trust(handle, request);
  set_route(handle, request);
  Sender sender;
  set_body(handle, request, receiver, sender);
  const CURLcode code = curl_easy_perform(handle);
  base::Result<HttpAnswer> answer = base::Error();
  if (code == CURLE_OK) {
    answer = answer_of(handle, receiver);
    if (request.streamed) answer->request_whole = left_whole(handle, sender);
  } else {
    base::Error broken =
        transfer_failure({handle, code, request, receiver.too_large, words.data()});
    answer = request.streamed ? outcome_of_stream(handle, receiver, std::move(broken), sender)
                              : base::Result<HttpAnswer>(std::move(broken));
  }
  curl_easy_reset(handle);  // forgets the pointers into this call's memory
  return answer;
}

std::int64_t retry_after_seconds(std::string_view value, std::int64_t now) {
  const std::string text(base::trim(value));
  if (text.empty()) return 0;
  if (std::all_of(text.begin(), text.end(), base::is_digit)) {
    std::int64_t seconds = 0;
    // A number too long for 64 bits is a long wait all the same.
    if (!base::parse_number(text, 0, INT64_MAX, seconds)) seconds = longest_delay_s;
    return std::clamp<std::int64_t>(seconds, 1, longest_delay_s);
  }
  // A date begins with the name of a day; curl_getdate would take many other things for one.
  if (text.size() < 20 || base::is_digit(text[0]) || text[0] == '-') return 0;
  const time_t when = curl_getdate(text.c_str(), nullptr);
  if (when < 0) return 0;
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(when) - now, 1, longest_delay_s);
}

}  // namespace net
