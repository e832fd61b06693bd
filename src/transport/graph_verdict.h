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
  std::string request_id{};
  std::string claims{};  // of a 401: what the next token must claim (graph_challenge.h)
  std::int64_t retry_after_s = 0;
  base::Judged judged{};  // of anything but 202
};

GraphAnswer graph_answer_of(const net::Record& record, const Delivery& delivery);

// 202 alone is success. Unknown: another 2xx, or a 5xx that does not mean "not looked at", once
// the whole request had left.
std::vector<base::Fate> graph_fates(const Delivery& delivery, base::Result<GraphAnswer> answer);

// How long the provider wants to be left alone; 0: it did not say so.
std::int64_t graph_pause_s(const GraphAnswer& answer);

}  // namespace transport
