// graph: a delivery by Microsoft Graph, the agent's side: the header that stands for the envelope,
// the size that one call takes, the token, the request to mailbearer-helper (graph_request.h), and
// what its answer means. Source: facts/providers.md 3.1 to 3.8, facts/reliability-security.md 3.5
// and 4.2; design section 6. Only 202 is success. 401 is tried once more with a fresh token;
// nothing else is sent again. Requests keep their turn (mailbox_pace.h). What Graph cannot carry (a
// header recipient outside the envelope, a size that graph_large = smtp sends elsewhere) is not
// sent and marked by Fate::detour. Limits: graph_mime_limit; the deadlines of Phases. Trusts:
// nothing that Graph says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/deliver.h"

namespace transport {

// One call takes 4 MB (413 beyond); in base64 these are 3 MB of message.
constexpr std::uint64_t graph_mime_limit = 3'000'000;

std::vector<base::Fate> deliver_by_graph(const Delivery& delivery);

// Whether a message of this size goes in one call; upload and SMTP are for the others.
bool graph_takes(const account::Account& account, std::uint64_t size_bytes);

// The address of the sendMail of this account's mailbox. Grants of an app have no "me".
std::string graph_address(const account::Account& account);

}  // namespace transport
