// network_door: SMTP over TCP for devices and programs that speak nothing else (`listen_tcp`). One
// session a thread, few at once. Source: design sections 1 and 3. Never an open relay: who is not
// in listen_allow is turned away before a word, and without AUTH nothing is taken, on loopback too,
// unless listen_auth = none. Who speaks before the greeting, or speaks HTTP, is hung up on. Limits:
// 64 sessions, 16 of one address, 5 minutes for the next word. Owns: its sockets and threads.
// Errors: of listening. Trusts: nothing but the address that the kernel names.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/pool.h"
#include "base/file.h"
#include "base/result.h"
#include "net/tls.h"
#include "submit/serve.h"

namespace agent {

struct NetworkRules {
  std::vector<std::string> listen{};  // ADDRESS:PORT
  std::vector<std::string> allow{};   // networks; empty: this host
  bool wants_auth = true;
  std::string certificate{};  // for STARTTLS; empty: none
  std::uint64_t size_limit_bytes = 0;
};

class NetworkDoor {
 public:
  // Whether name and password are right, and whose account they are.
  using Admit = std::function<std::string(const std::string& name, const base::Secret& password)>;
  using Take = std::function<submit::Verdict(mail::Submission submission)>;

  static base::Result<std::unique_ptr<NetworkDoor>> open(NetworkRules rules, Admit admit,
                                                         Take take);
  ~NetworkDoor();
  NetworkDoor(const NetworkDoor&) = delete;
  NetworkDoor& operator=(const NetworkDoor&) = delete;

 private:
  NetworkDoor(NetworkRules rules, Admit admit, Take take);
  base::Done listen();
  void serve_all();
  void welcome(int listener);
  void serve(base::Fd socket, const std::string& from);

  NetworkRules rules_;
  Admit admit_;
  Take take_;
  std::shared_ptr<net::TlsContext> tls_{};
  std::vector<base::Fd> listeners_{};
  base::Fd bell_;
  std::atomic<bool> over_ = false;
  std::mutex lock_{};
  std::map<std::string, int> callers_{};
  int in_all_ = 0;
  std::map<int, base::Fd> live_{};  // copies of the sockets, to hang up at the end
  Pool pool_;
  std::thread thread_{};
};

}  // namespace agent
