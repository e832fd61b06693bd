// graph_verdict: what an answer of Graph means for the message: judged by the table of replies,
// and told apart by what may have happened: sent, certainly not sent, unknown. Pure.
// Source: facts/reliability-security.md 4.2; facts/providers.md 3.8. Trusts: nothing that Graph
// says; the helper has cut and cleaned it.
#pragma once

#include <string>
#include <vector>

#include "base/replies.h"
#include "net/record.h"
#include "transport/deliver.h"

namespace transport {

// What the helper said (graph_request.h).
struct GraphAnswer {
  int status = 0;
  bool whole = true;  // the request had left to its last byte
  std::string code{};
  std::string request_id{};
  std::string claims{};  // of a 401: what the next token must claim (graph_challenge.h)
  std::int64_t retry_after_s = 0;
  base::Judged judged{};  // of anything but 202
};

GraphAnswer graph_answer_of(const net::Record& record, const Delivery& delivery);

// 202 alone is success. Unknown: another 2xx, or a 5xx that does not mean "not looked at", once
// the whole request had left.
std::vector<base::Fate> graph_fates(const Delivery& delivery, base::Result<GraphAnswer> answer);

// Limits are kept before a request is looked at; any other 5xx may come after the work was done.
bool may_have_been_done(const GraphAnswer& answer);

// The same error, where nobody knows what became of the request; and where the message was not
// sent for certain, whatever became of another request.
base::Error unknown_outcome(base::Error error);
base::Error not_sent(base::Error error);

// A name for one request, for the provider's support; as Graph writes its own.
std::string graph_request_name();

// How long the provider wants to be left alone; 0: it did not say so.
std::int64_t graph_pause_s(const GraphAnswer& answer);

}  // namespace transport
