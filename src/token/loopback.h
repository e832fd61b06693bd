// loopback: the listener at which a browser's sign-in ends: 127.0.0.1 and ::1, one random port.
// Only a GET of / with our state, and a Host that means us, counts; everything else gets 404 and
// ends nothing. Never blocks. Source: RFC 8252 7.3, 8.3; RFC 6749 4.1.2; issue "Signing in".
// Owns: its sockets. Limits: 32 connections, the oldest goes when one more comes; 10 s and 16 KiB
// for a request; 2 s for its answer to leave. Trusts: nothing but the state.
#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "token/redirect.h"

namespace token {

class Loopback {
 public:
  // Errors: Fault::os where no port can be had on 127.0.0.1 (::1 may be missing).
  static base::Result<std::unique_ptr<Loopback>> open(std::string state);
  ~Loopback();
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  std::uint16_t port() const;
  // What to poll for now; changes with each step().
  void add_watched(std::vector<pollfd>& watched) const;
  base::Deadline next_deadline() const;
  // Takes what is there. The answer, once, when it has come; its page has been written then.
  std::optional<RedirectAnswer> step();

 private:
  struct State;
  explicit Loopback(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace token
