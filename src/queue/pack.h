// pack: numbers and texts as bytes and back. Internal to the room. Numbers are little endian, a
// text is its length in 4 bytes and its bytes. Unpack trusts nothing: what is not there, or is
// longer than the rest, makes ok() false, and everything read from then on is empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace queue {

// RFC 3720 appendix B.4 (Castagnoli). Finds accidents; it is no protection from people.
// `before`: of what stands in front.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

class Pack {
 public:
  Pack& u8(std::uint8_t value) { return number(value, 1); }
  Pack& u32(std::uint32_t value) { return number(value, 4); }
  Pack& u64(std::uint64_t value) { return number(value, 8); }
  Pack& i64(std::int64_t value) { return number(static_cast<std::uint64_t>(value), 8); }
  Pack& flag(bool value) { return u8(value ? 1 : 0); }
  Pack& text(std::string_view value);
  const std::string& bytes() const { return out_; }

 private:
  Pack& number(std::uint64_t value, int count);
  std::string out_{};
};

class Unpack {
 public:
  explicit Unpack(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(number(8)); }
  bool flag();  // 0 or 1
  std::string text();
  // How many entries of at least `least_bytes` each follow: more than can be there is a fault.
  std::uint32_t count(std::size_t least_bytes);
  void fail() { ok_ = false; }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  std::uint64_t number(std::size_t count);
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace queue
