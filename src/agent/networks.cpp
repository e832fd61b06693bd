#include "agent/networks.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace agent {

namespace {

// Every address as 16 bytes; IPv4 as ::ffff:a.b.c.d.
using Bytes = std::array<std::uint8_t, 16>;
constexpr std::size_t mapped_bits = 96;

struct Network {
  Bytes bytes{};
  std::size_t bits = 128;
};

Bytes mapped(const in_addr& address) {
  Bytes out{};
  out[10] = out[11] = 0xff;
  std::memcpy(&out[12], &address, sizeof address);
  return out;
}

std::optional<Network> parse(const std::string& word) {
  const std::size_t slash = word.find('/');
  const std::string host = word.substr(0, slash);
  Network out;
  in_addr four{};
  std::int64_t most = 128;
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) {
    out.bytes = mapped(four);
    most = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), out.bytes.data()) != 1) {
    return std::nullopt;
  }
  std::int64_t bits = most;
  if (slash != std::string::npos && !base::parse_number(word.substr(slash + 1), 0, most, bits)) {
    return std::nullopt;
  }
  out.bits = static_cast<std::size_t>(bits) + (most == 32 ? mapped_bits : 0);
  return out;
}

std::optional<Bytes> bytes_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    return mapped(four.sin_addr);
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 six{};
  std::memcpy(&six, &address, sizeof six);
  Bytes out{};
  std::memcpy(out.data(), &six.sin6_addr, out.size());
  return out;
}

bool holds(const Network& network, const Bytes& address) {
  for (std::size_t bit = 0; bit < network.bits; bit += 8) {
    const std::size_t left = std::min<std::size_t>(8, network.bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xff00U >> left);
    if (((network.bytes.at(bit / 8) ^ address.at(bit / 8)) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

bool is_network(const std::string& word) {
  return parse(word).has_value();
}

bool lies_in(const sockaddr_storage& address, const std::vector<std::string>& networks) {
  static const std::vector<std::string> this_host = {"127.0.0.0/8", "::1"};
  const std::optional<Bytes> bytes = bytes_of(address);
  if (!bytes) return false;
  const std::vector<std::string>& words = networks.empty() ? this_host : networks;
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    const std::optional<Network> network = parse(word);
    return network && holds(*network, *bytes);
  });
}

std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const std::optional<Bytes> bytes = bytes_of(address);
  if (!bytes) return "?";
  const bool four = holds({mapped({}), mapped_bits}, *bytes);
  if (inet_ntop(four ? AF_INET : AF_INET6, four ? bytes->data() + 12 : bytes->data(), text.data(),
                text.size()) == nullptr) {
    return "?";
  }
  return text.data();
}

}  // namespace agent
