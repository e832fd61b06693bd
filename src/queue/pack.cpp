#include "queue/pack.h"

#include <array>
#include <cstring>

namespace queue {

namespace {

// Eight tables, so that eight bytes are taken at a time.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr Tables make_tables() {
  constexpr std::uint32_t polynomial = 0x82F63B78;  // reflected
  Tables out{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    out[0][byte] = crc;
  }
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    for (std::size_t table = 1; table < 8; ++table) {
      const std::uint32_t before = out[table - 1][byte];
      out[table][byte] = (before >> 8) ^ out[0][before & 0xFF];
    }
  }
  return out;
}
constexpr Tables tables = make_tables();

std::uint32_t octet(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    const std::uint32_t low = crc ^ (octet(bytes, 0) | octet(bytes, 1) << 8 |
                                     octet(bytes, 2) << 16 | octet(bytes, 3) << 24);
    crc = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^ tables[5][(low >> 16) & 0xFF] ^
          tables[4][low >> 24] ^ tables[3][octet(bytes, 4)] ^ tables[2][octet(bytes, 5)] ^
          tables[1][octet(bytes, 6)] ^ tables[0][octet(bytes, 7)];
  }
  for (const char c : bytes) {
    crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  }
  return ~crc;
}

Pack& Pack::number(std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) out_ += static_cast<char>((value >> (8 * i)) & 0xFF);
  return *this;
}

Pack& Pack::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  out_.append(value);
  return *this;
}

std::uint64_t Unpack::number(std::size_t count) {
  if (!ok_ || rest_.size() < count) {
    ok_ = false;
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
  }
  rest_.remove_prefix(count);
  return value;
}

bool Unpack::flag() {
  const std::uint8_t value = u8();
  if (value > 1) ok_ = false;
  return ok_ && value == 1;
}

std::string Unpack::text() {
  const std::uint32_t size = u32();
  if (!ok_ || rest_.size() < size) {
    ok_ = false;
    return {};
  }
  std::string out(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return out;
}

std::uint32_t Unpack::count(std::size_t least_bytes) {
  const std::uint32_t value = u32();
  if (!ok_ || value > rest_.size() / least_bytes) {
    ok_ = false;
    return 0;
  }
  return value;
}

}  // namespace queue
