// networks: whether an address lies in one of the networks of `listen_allow`: "192.0.2.7",
// "192.0.2.0/24", "2001:db8::/32". An IPv4 address that came over IPv6 (::ffff:192.0.2.7) counts as
// itself. Nothing named: this very host alone. A word that is no network admits nobody.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

namespace agent {

bool is_network(const std::string& word);
bool lies_in(const sockaddr_storage& address, const std::vector<std::string>& networks);
std::string text_of(const sockaddr_storage& address);

}  // namespace agent
