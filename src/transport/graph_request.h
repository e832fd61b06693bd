// graph_request: the helper's side of a sendMail: a record with the message's file becomes one
// POST of its base64, read while it is sent, and the answer a record again. Only the helper links
// it. Source: facts/providers.md 3.1. Request and answer: graph_exchange.h; attached: the message.
// An error (net::put_error) when there was no answer.
#pragma once

#include "net/http.h"
#include "net/record.h"

namespace transport {

net::Record serve_graph_request(net::Record request, net::HttpClient& client);

}  // namespace transport
