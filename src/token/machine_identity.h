// machine_identity: a token of the machine's own identity, asked of the identity endpoint of an
// Azure virtual machine (169.254.169.254) or of Azure Arc (loopback). Source: facts (providers)
// 1.6; docs/decisions/0020. Only the helper links it. Never by a proxy, whatever the account says.
// Of Arc's challenge only a file NAME.key directly in its own folder is read, at most 4 KiB, a
// regular file of root's or of the folder's owner. Record: url, resource, client_id, timeout,
// claims. Answer: as oauth_request. Trusts: nothing.
#pragma once

#include <string>

#include "net/http.h"
#include "net/record.h"

namespace token {

struct ArcPlaces {
  std::string agent = "/var/opt/azcmagent/bin/himds";  // there and root's: this is an Arc machine
  std::string keys = "/var/opt/azcmagent/tokens";
  std::string endpoint = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
};

net::Record serve_identity_request(const net::Record& request, net::HttpClient& client,
                                   const ArcPlaces& arc = {});

}  // namespace token
