// mailbearer-helper: what needs libcurl, JSON, GMime or libsecret, apart from the agent that holds
// the connections. Serves records (net/record.h) on descriptor 0, one after the other, until the
// other end closes it or nothing comes for 30 s. Believes no environment, prints nothing but its
// version.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/process.h"
#include "base/scratch.h"
#include "mail/mime.h"
#include "mail/mime_split.h"
#include "net/http_curl.h"
#include "net/record.h"
#include "token/assertion.h"
#include "token/keyring_secret_service.h"
#include "token/machine_identity.h"
#include "token/oauth_request.h"
#include "token/secret_service.h"
#include "transport/graph_call.h"
#include "transport/graph_request.h"
#include "transport/graph_split.h"

// Tokens pass through buffers that are not ours to wipe (strings of the JSON parser among them), so
// this program wipes all memory that C++ gives back.
void* operator new(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  explicit_bzero(memory, malloc_usable_size(memory));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace {

constexpr std::int64_t idle_ms = 30'000;
constexpr std::int64_t answer_ms = 10'000;

net::Record failed(const base::Error& error) {
  net::Record answer("answer");
  net::put_error(answer, error);
  return answer;
}

// Keeps its connections for the next request.
net::CurlClient& sign_in_client() {
  static net::CurlClient client;
  return client;
}

net::Record serve_token(net::Record request) {
  const base::Done signed_for = token::put_assertion(request, base::wall_seconds());
  if (!signed_for) return failed(signed_for.error());
  return token::serve_token_request(request, sign_in_client());
}

net::Record serve_device(net::Record request) {
  return token::serve_device_request(request, sign_in_client());
}

net::Record serve_identity(net::Record request) {
  return token::serve_identity_request(request, sign_in_client());
}

net::Record serve_reencode(net::Record request) {
  if (!request.attached.open()) {
    return failed(base::failure(base::Fault::protocol, "no message came with the request"));
  }
  base::Result<base::Scratch> whole = base::Scratch::adopt(std::move(request.attached));
  if (!whole) return failed(whole.error());
  base::Result<base::Scratch> result =
      mail::reencode_with_gmime(*whole, request.get("seven_bit") == "1");
  if (!result) return failed(result.error());
  base::Result<int> file = result->lend_fd();
  if (!file) return failed(file.error());
  net::Record answer("answer");
  answer.attached.reset(fcntl(*file, F_DUPFD_CLOEXEC, 3));
  return answer;
}

net::Record serve_graph(net::Record request) {
  static net::CurlClient client;  // keeps its connection for the next message
  return transport::serve_graph_request(std::move(request), client);
}

// The steps of an upload have a client of their own: two hosts take turns.
net::Record serve_graph_call(net::Record request) {
  static net::CurlClient client;
  return transport::serve_graph_call(std::move(request), client);
}

net::Record serve_split(net::Record request) {
  if (!request.attached.open()) {
    return failed(base::failure(base::Fault::protocol, "no message came with the request"));
  }
  base::Result<base::Scratch> whole = base::Scratch::adopt(std::move(request.attached));
  if (!whole) return failed(whole.error());
  base::Result<mail::Split> split =
      mail::split_with_gmime(*whole, transport::split_limits(request));
  if (!split) return failed(split.error());
  base::Result<net::Record> answer = transport::split_answer(*split);
  return answer ? std::move(*answer) : failed(answer.error());
}

// libsecret waits for ever on a bus that does not answer, and nothing can call it back: then this
// answers in its place and ends the program, which has nothing else to do meanwhile.
class Watch {
 public:
  explicit Watch(const net::Record& request) {
    const auto wait = std::chrono::milliseconds(std::clamp<std::int64_t>(
        request.number("wait_ms", token::service_ms), 1, token::service_with_person_ms));
    const base::Error error = token::service_too_slow(request);
    thread_ = std::thread([this, wait, error] {
      std::unique_lock<std::mutex> lock(mutex_);
      if (over_.wait_for(lock, wait, [this] { return done_; })) return;
      const base::Done sent =
          net::send_record(STDIN_FILENO, failed(error), base::Deadline::after_ms(answer_ms));
      _exit(sent ? 0 : 74);
    });
  }
  ~Watch() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    over_.notify_one();
    thread_.join();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool done_ = false;
  std::thread thread_;
};

net::Record serve_keyring(net::Record request) {
  const Watch watch(request);
  return token::serve_keyring_request(request);
}

struct Verb {
  const char* name;
  net::Record (*serve)(net::Record request);
};
constexpr std::array verbs = {
    Verb{"token", serve_token},       Verb{"device", serve_device},
    Verb{"identity", serve_identity}, Verb{"reencode", serve_reencode},
    Verb{"graph", serve_graph},       Verb{"graph-call", serve_graph_call},
    Verb{"split", serve_split},       Verb{"keyring", serve_keyring},
};

net::Record serve(net::Record request) {
  for (const Verb& verb : verbs) {
    if (request.verb() == verb.name) return verb.serve(std::move(request));
  }
  return failed(base::failure(base::Fault::protocol, "mailbearer-helper does not know this request",
                              "install agent and helper of one version"));
}

int serve_records() {
  for (;;) {
    base::Result<net::Record> request =
        net::receive_record(STDIN_FILENO, base::Deadline::after_ms(idle_ms));
    if (!request) return 0;  // the agent is gone, or has nothing more to ask
    const net::Record answer = serve(std::move(*request));
    const base::Done sent =
        net::send_record(STDIN_FILENO, answer, base::Deadline::after_ms(answer_ms));
    if (!sent) return 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  base::settle_process();
  base::forbid_dumps();
  clearenv();
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("mailbearer-helper %s\n", MAILBEARER_VERSION);
    return 0;
  }
  if (argc != 1) {
    std::fputs("mailbearer-helper: started by mailbearer-agent, takes no arguments\n", stderr);
    return 64;
  }
  return serve_records();
}
