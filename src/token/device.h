// device: a person's sign-in by device code, as the caller drives it. Source: RFC 8628; facts
// (providers) 1.4.
//
//   Device device(account, places);
//   if (base::Done started = device.start(); !started) → device.paste_instead() ? paste : error
//   show device.prompt();
//   for (;;) {
//     poll(yours, device.wait_ms());
//     base::Result<std::optional<SignedIn>> polled = device.poll();   // asks only when it is due
//     error → device.paste_instead() ? paste : error;   a SignedIn → as in browser.h
//   }
//
// Keeps the interval (5 s unless told; slow_down: 5 s more for good), doubles it after a request
// that got no answer, ends at expires_in. Errors: Fault::config (no endpoint; Google, whose device
// flow has no mail scope; an address of another site than the preset's), those of base/replies.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "account/account.h"
#include "base/clock.h"
#include "base/result.h"
#include "token/sign_in.h"

namespace token {

// Texts of the provider, cleaned and bounded; the addresses are https and of a known host.
struct DevicePrompt {
  std::string code{};      // to be typed: "ABCD-EFGH"
  std::string uri{};       // where
  std::string full_uri{};  // with the code in it, or empty; for a QR code
  std::string message{};   // the provider's own sentence, or empty
  std::int64_t expires_in_s = 0;
};

class Device {
 public:
  // Both must outlive this.
  Device(const account::Account& account, const SignInPlaces& places);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Whether this account can sign in so at all: nothing is asked.
  static base::Done possible(const account::Account& account);

  base::Done start();
  const DevicePrompt& prompt() const;
  int wait_ms() const;                // until the next request is due; for poll(2)
  std::int64_t seconds_left() const;  // until the code expires
  // Nothing: the person has not answered yet, or it is too early to ask.
  base::Result<std::optional<SignedIn>> poll();
  // Why the last question got no answer, and is asked again more slowly; no cause: it got one. To
  // be shown: the network may be gone, or a certificate wrong.
  const base::Error& trouble() const;
  // The last error is a policy's against device codes (53003 and its kin), not against the person:
  // a sign-in by browser or paste may go on.
  bool paste_instead() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace token
