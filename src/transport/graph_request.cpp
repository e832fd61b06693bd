#include "transport/graph_request.h"

#include <utility>

#include "base/scratch.h"
#include "transport/graph_body.h"
#include "transport/graph_exchange.h"

namespace transport {

net::Record serve_graph_request(net::Record request, net::HttpClient& client) {
  net::Record failed("answer");
  if (!request.attached.open()) {
    net::put_error(failed,
                   base::failure(base::Fault::protocol, "no message came with the request"));
    return failed;
  }
  base::Result<base::Scratch> message = base::Scratch::adopt(std::move(request.attached));
  if (!message) {
    net::put_error(failed, message.error());
    return failed;
  }
  net::HttpRequest http = http_of(request);
  http.content_type = "text/plain";
  send_as_base64(http, *message, {0, message->size_bytes()});
  base::Result<net::HttpAnswer> answer = client.post(http);
  if (answer) return record_of(*answer, request.get("token"));
  net::put_error(failed, answer.error());
  return failed;
}

}  // namespace transport
