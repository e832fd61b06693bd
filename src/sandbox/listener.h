// listener: the ports of mail submission, a thread a connection, loopback only.
// Owns: sockets and threads. Limits: 256 connections at once, more are told 421. Errors:
// Fault::cannot_create when an address cannot be bound.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "sandbox/tls_stream.h"

namespace sandbox {

class Listener {
 public:
  using Serve = std::function<void(Connection&)>;

  Listener() = default;
  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds all addresses to one port; 0: a free one. The first address must work; another one may be
  // missing on this machine.
  base::Done bind(const std::vector<std::string>& addresses, std::uint16_t port);
  std::uint16_t port() const { return port_; }
  void start(Serve serve);
  void stop();  // ends all connections and waits for their threads

 private:
  struct Guest {
    int fd = -1;  // -1: done
    std::thread thread{};
  };
  void accept_on(int listening);
  void welcome(base::Fd socket);
  void bury_the_dead();

  Serve serve_;
  std::uint16_t port_ = 0;
  std::vector<base::Fd> sockets_;
  std::vector<std::thread> acceptors_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::list<Guest> guests_;
};

}  // namespace sandbox
