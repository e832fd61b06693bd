// graph_call: the helper's side of one step of an upload (graph_step.h): a record becomes one
// request, and its answer a record again. Only the helper links it. Source: facts/providers.md 3.5.
// Request: the fields of graph_exchange.h, and `step`; by the step, offset and size (a stretch of
// the attached file), name, type, content_id, inline, begin and total (of a slice), upload_hosts.
// Answer: the fields of graph_exchange.h, id, upload_url, next; or an error (net::put_error).
//
//   draft    POST    the message in base64, on a new connection; answers with its id (the only
//                    long answer: 8 MiB)
//   session  POST    what will be uploaded; answers with upload_url
//   attach   POST    a small attachment
//   slice    PUT     a stretch of the file, to the upload URL
//   ranges   GET     where to go on, from the upload URL
//   send     POST    nothing; once, on a connection of its own
//   discard  DELETE
//
// An upload URL is a secret, and gets no token. It must be https, and its host that of the Graph
// endpoint, or one of upload_hosts or below it, as libcurl reads it.
#pragma once

#include "net/http.h"
#include "net/record.h"

namespace transport {

net::Record serve_graph_call(net::Record request, net::HttpClient& client);

}  // namespace transport
