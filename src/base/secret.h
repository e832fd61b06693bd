// secret: a token, password or key. Cannot be printed or copied; its memory is wiped when it is
// dropped, moved from or grown. Owns its bytes. Not a promise that no copy exists in a library's
// buffers (facts: curl and OpenSSL keep some); the programs also set PR_SET_DUMPABLE 0 and
// RLIMIT_CORE 0.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) { append(bytes); }
  // Takes the text and wipes the string it came in.
  static Secret take(std::string& text);
  ~Secret() { wipe(); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;

  void append(std::string_view bytes);
  void wipe();
  Secret clone() const { return Secret(reveal()); }  // a copy made on purpose

  std::string_view reveal() const { return {bytes_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Overwrites a string that held a secret, to its whole capacity.
void wipe(std::string& text);

}  // namespace base
