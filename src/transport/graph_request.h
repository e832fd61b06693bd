// graph_request: the helper's side of a sendMail: a record with the message's file becomes one
// POST of its base64, read while it is sent, and the answer a record again. Only the helper links
// it. Source: facts/providers.md 3.1. Request fields: url, token, client_request_id, ca_file,
// proxy, connect_s, whole_s; attached: the message. Answer fields: status, whole (the request had
// left to its last byte), code, message, inner.0 to inner.7, authenticate, retry_after, request_id;
// or an error (net::put_error) when there was no answer. No field of the answer quotes the token.
#pragma once

#include "net/http.h"
#include "net/record.h"

namespace transport {

net::Record serve_graph_request(net::Record request, net::HttpClient& client);

}  // namespace transport
