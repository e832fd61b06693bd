#include "base/secret.h"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace base {

Secret Secret::take(std::string& text) {
  Secret secret{std::string_view(text)};
  base::wipe(text);
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::exchange(other.bytes_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

void Secret::append(std::string_view bytes) {
  if (bytes_ == nullptr || size_ + bytes.size() > capacity_) {
    // Growing by hand: realloc could leave an unwiped copy behind.
    const std::size_t capacity = (size_ + bytes.size()) * 2 + 16;
    char* grown = static_cast<char*>(std::malloc(capacity));
    if (grown == nullptr) std::abort();
    if (size_ > 0) std::memcpy(grown, bytes_, size_);
    const std::size_t size = size_;
    if (!bytes.empty()) std::memcpy(grown + size, bytes.data(), bytes.size());  // may alias us
    wipe();
    bytes_ = grown;
    size_ = size + bytes.size();
    capacity_ = capacity;
    return;
  }
  if (bytes.empty()) return;
  std::memmove(bytes_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void Secret::wipe() {
  if (bytes_ != nullptr) {
    explicit_bzero(bytes_, capacity_);
    std::free(bytes_);
  }
  bytes_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  if (!text.empty()) explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace base
