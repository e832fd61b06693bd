#include "agent/networks.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

#include "catch.h"

namespace {

sockaddr_storage address(const std::string& text) {
  sockaddr_storage out{};
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    std::memcpy(&out, &four, sizeof four);
    return out;
  }
  REQUIRE(inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1);
  six.sin6_family = AF_INET6;
  std::memcpy(&out, &six, sizeof six);
  return out;
}

bool lies(const std::string& text, const std::vector<std::string>& networks) {
  return agent::lies_in(address(text), networks);
}

}  // namespace

TEST_CASE("networks: nothing named is this host alone", "[agent]") {
  CHECK(lies("127.0.0.1", {}));
  CHECK(lies("127.9.9.9", {}));
  CHECK(lies("::1", {}));
  CHECK(lies("::ffff:127.0.0.1", {}));
  CHECK_FALSE(lies("192.0.2.1", {}));
  CHECK_FALSE(lies("::2", {}));
  CHECK_FALSE(lies("fe80::1", {}));
}

TEST_CASE("networks: addresses and prefixes of both kinds", "[agent]") {
  CHECK(lies("192.0.2.7", {"192.0.2.7"}));
  CHECK_FALSE(lies("192.0.2.8", {"192.0.2.7"}));
  CHECK(lies("192.0.2.200", {"10.0.0.0/8", "192.0.2.128/25"}));
  CHECK_FALSE(lies("192.0.2.127", {"10.0.0.0/8", "192.0.2.128/25"}));
  CHECK(lies("2001:db8:1::9", {"2001:db8::/32"}));
  CHECK_FALSE(lies("2001:db9::9", {"2001:db8::/32"}));
  CHECK(lies("203.0.113.1", {"0.0.0.0/0"}));
  CHECK_FALSE(lies("2001:db8::1", {"0.0.0.0/0"}));  // all of IPv4, and no more
  CHECK(lies("2001:db8::1", {"::/0"}));
}

TEST_CASE("networks: what is none admits nobody", "[agent]") {
  for (const char* word : {"", "/", "/8", "192.0.2.0/33", "192.0.2/24", "::1/129", "host", "1/1/1",
                           "192.0.2.0/-1", "192.0.2.0/ 8"}) {
    INFO(word);
    CHECK_FALSE(agent::is_network(word));
    CHECK_FALSE(lies("192.0.2.1", {word}));
  }
  CHECK(agent::text_of(address("::ffff:192.0.2.1")) == "192.0.2.1");
  CHECK(agent::text_of(address("2001:db8::1")) == "2001:db8::1");
}
