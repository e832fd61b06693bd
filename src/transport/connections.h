// connections: open, signed-in connections between one message and the next, and what new ones are
// made with: one TLS context for each trust, and what is known of the servers. Owns: the idle
// connections; their end is a QUIT. Limits: an idle connection is used again within 20 s, 5 minutes
// and 100 messages after it was opened; 4 of them an account, 64 in all. For many
// threads: what is taken is the taker's alone.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "account/account.h"
#include "net/tls.h"
#include "transport/known_servers.h"
#include "transport/smtp.h"

namespace transport {

class Connections {
 public:
  explicit Connections(KnownServers& known) : known_(known) {}
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // An idle connection of exactly this account, or null. One that the server has ended in the
  // meantime is dropped without a word.
  std::unique_ptr<Dialogue> take(const account::Account& account);
  void keep(const account::Account& account, std::unique_ptr<Dialogue> dialogue);
  // Says QUIT to all that have been idle too long.
  void close_idle();

  base::Result<std::shared_ptr<net::TlsContext>> trust(const net::TlsTrust& trust);
  KnownServers& known() { return known_; }

 private:
  struct Idle {
    std::string account{};
    std::unique_ptr<Dialogue> dialogue{};
    std::int64_t since_ms = 0;
  };
  struct Trusted {
    std::string words{};
    std::shared_ptr<net::TlsContext> context{};
  };
  KnownServers& known_;
  std::mutex lock_;  // of what follows; nobody waits for a server while holding it
  std::deque<Idle> idle_;
  std::map<std::string, Trusted> trusted_;
};

}  // namespace transport
