#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace base {

std::string random_hex(std::size_t bytes) {
  static const char digits[] = "0123456789abcdef";
  std::string raw(bytes, '\0');
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t got = getrandom(raw.data() + have, bytes - have, 0);
    // Fails only when a signal arrives early at boot; anything else is a kernel without the call.
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();
    }
    have += static_cast<std::size_t>(got);
  }
  std::string out;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

}  // namespace base
