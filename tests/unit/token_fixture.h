// A private folder, an account in it, and a helper that answers from a script.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "account/account.h"
#include "catch.h"
#include "net/record.h"
#include "token/obtain.h"

namespace fixture {

class Home {
 public:
  Home() {
    std::string pattern = std::filesystem::temp_directory_path() / "token-test-XXXXXX";
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Home() { std::filesystem::remove_all(path_); }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& content,
                    unsigned mode = 0600) const {
    const std::string path = *this / name;
    std::ofstream(path, std::ios::binary) << content;
    REQUIRE(chmod(path.c_str(), static_cast<mode_t>(mode)) == 0);
    return path;
  }
  // The files below `folder` whose name begins so.
  std::vector<std::string> files(const std::string& folder, const std::string& prefix) const {
    std::vector<std::string> found;
    if (!std::filesystem::exists(*this / folder)) return found;
    for (const auto& entry : std::filesystem::directory_iterator(*this / folder)) {
      const std::string name = entry.path().filename();
      if (name.rfind(prefix, 0) == 0) found.push_back(entry.path());
    }
    return found;
  }

 private:
  std::string path_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline account::Account account_in(const Home& home) {
  account::Account account;
  account.name = "work";
  account.where = "mailbearer.conf:1";
  account.user = "me@example.org";
  account.auth_user = account.user;
  account.client_id = "client";
  account.token_endpoint = "https://login.example.org/token";
  account.scope = "https://mail.example.org/send offline_access";
  account.keyring = account::Keyring::file;
  account.keyring_dir = home / "keyring";
  account.timeout_s = 3;
  return account;
}

inline net::Record token_answer(const std::string& token, int expires_in = 3600,
                                const std::string& refresh = {}) {
  net::Record answer("answer");
  answer.put("status", "200");
  answer.put("access_token", token);
  answer.put("refresh_token", refresh);
  answer.put("expires_in", std::to_string(expires_in));
  return answer;
}

inline net::Record refusal(int status, const std::string& error, const std::string& codes = {},
                           int retry_after = 0) {
  net::Record answer("answer");
  answer.put("status", std::to_string(status));
  answer.put("error", error);
  answer.put("error_codes", codes);
  answer.put("retry_after", std::to_string(retry_after));
  return answer;
}

using Script = std::function<net::Record(const net::Record& request)>;

// Serves each socket that the door opens on a thread of its own, until it is closed.
class FakeHelper {
 public:
  explicit FakeHelper(Script script) : script_(std::move(script)) {}
  ~FakeHelper() {
    for (std::thread& thread : threads_) thread.join();
  }
  FakeHelper(const FakeHelper&) = delete;
  FakeHelper& operator=(const FakeHelper&) = delete;

  token::HelperDoor door() {
    return {[this]() -> base::Result<base::Fd> {
      std::array<int, 2> ends{};
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return base::failure(base::Fault::os, "no socket pair");
      }
      ++opened;
      threads_.emplace_back([this, theirs = base::Fd(ends[1])] { serve(theirs.get()); });
      return base::Fd(ends[0]);
    }};
  }
  std::atomic<int> requests{0};
  std::atomic<int> opened{0};

 private:
  void serve(int socket) {
    for (;;) {
      base::Result<net::Record> request =
          net::receive_record(socket, base::Deadline::after_ms(10'000));
      if (!request) return;
      ++requests;
      if (!net::send_record(socket, script_(*request), base::Deadline::after_ms(5000))) return;
    }
  }
  Script script_;
  std::vector<std::thread> threads_;
};

}  // namespace fixture
