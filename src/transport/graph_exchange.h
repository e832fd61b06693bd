// graph_exchange: what a request of the agent to Graph has of HTTP, and what of the answer goes
// back as a record. Only the helper links it. Request fields: url, token (none: no bearer),
// client_request_id, ca_file, proxy, connect_s, whole_s. Answer fields: status, whole (the request
// had left to its last byte), code, message, inner.0 to inner.7, authenticate, retry_after,
// request_id. No field of the answer quotes `secret`.
#pragma once

#include <string>
#include <string_view>

#include "net/http.h"
#include "net/record.h"

namespace transport {

net::HttpRequest http_of(const net::Record& request);
net::Record record_of(const net::HttpAnswer& answer, std::string_view secret);

}  // namespace transport
