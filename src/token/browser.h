// browser: a person's sign-in by authorization code and PKCE, as the caller drives it. It waits for
// the loopback port and for pasted text at once, so an ssh -L ends a paste, too. Prints nothing,
// starts no browser, reads no terminal. Source: RFC 6749 4.1, 7636, 8252; design sections 5, 10.
//
//   base::Result<std::unique_ptr<Browser>> browser = Browser::begin(account);
//   show browser->url(), browser->port();
//   for (;;) {
//     std::vector<pollfd> watched = {{STDIN_FILENO, POLLIN, 0}};   // yours first, if any
//     browser->add_watched(watched);
//     poll(watched.data(), watched.size(), browser->wait_ms());    // or less: your own deadline
//     if (watched[0].revents) browser->typed(what read(2) gave);   // end of input: just stop
//     const Browser::Step step = browser->step();
//     if (step == Step::mistyped) show browser->complaint(), ask anew;
//     if (step == Step::answered) break;
//   }
//   base::SignalHold hold;
//   base::Result<SignedIn> signed_in = browser->redeem(places);    // a refusal is an error here
//   ... compare users, then keep(account, places, *signed_in)      // token/sign_in.h
//
// The caller gives a paste prompt a terminal without ICANON and ECHO, else the kernel cuts a line
// at 4,095 octets (the code in it is long), and the code stands on the screen. How long to wait
// is the caller's (--wait). Errors: as authorization_url; Fault::bug without random bytes.
#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "account/account.h"
#include "base/result.h"
#include "token/sign_in.h"

namespace token {

class Browser {
 public:
  // `account` must outlive this. Without any port to be had, pasting is what remains: port() is 0.
  static base::Result<std::unique_ptr<Browser>> begin(const account::Account& account);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  const std::string& url() const;
  std::uint16_t port() const;

  void add_watched(std::vector<pollfd>& watched) const;
  int wait_ms() const;  // for poll(2); -1: nothing is due
  // Bytes of the person's, as they come. Judged when a line has ended and a quarter of a second
  // brought nothing more: wrapped lines are one answer.
  void typed(std::string_view bytes);

  enum class Step { waiting, mistyped, answered };
  Step step();
  const base::Error& complaint() const;  // after mistyped

  // After answered. The provider's refusal (access_denied, 65001 ...) is judged by base/replies.
  base::Result<SignedIn> redeem(const SignInPlaces& places);

 private:
  struct State;
  explicit Browser(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace token
