// loopback_request: the head of an HTTP request to the loopback port, judged: is it the end of our
// sign-in? Source: RFC 9112 3, 5; RFC 9110 7.2. Only a GET of / from a browser that means
// localhost, 127.0.0.1 or [::1] with our port: another Host is a foreign site's name for this
// machine. Pure. Trusts: nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "token/redirect.h"

namespace token {

struct LoopbackRequest {
  bool head = false;  // HEAD: the answer has no body
  std::optional<RedirectAnswer> answer{};
};

// `text` up to the blank line.
LoopbackRequest read_loopback_request(std::string_view text, std::string_view state,
                                      std::uint16_t port);

}  // namespace token
