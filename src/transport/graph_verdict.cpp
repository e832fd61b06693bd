#include "transport/graph_verdict.h"

#include <string_view>
#include <utility>

#include "base/random.h"
#include "base/text.h"
#include "transport/graph_challenge.h"
#include "transport/smtp_transaction.h"

namespace transport {

namespace {

constexpr std::size_t inner_limit = 8;

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

std::vector<base::Fate> all_delivered(const Delivery& delivery, const GraphAnswer& answer) {
  std::vector<base::Fate> fates;
  for (const mail::Recipient& recipient : delivery.message->envelope.recipients) {
    base::Fate fate;
    fate.recipient = recipient.mailbox.text();
    fate.state = base::Fate::State::delivered;
    fate.said = answer.request_id.empty() ? "202" : "202 " + answer.request_id;
    fates.push_back(std::move(fate));
  }
  return fates;
}

}  // namespace

base::Error unknown_outcome(base::Error error) {
  error.fault = base::Fault::outcome_unknown;
  error.kind = base::class_of(error.fault);
  return error;
}

base::Error not_sent(base::Error error) {
  if (error.fault != base::Fault::outcome_unknown) return error;
  error.fault = base::Fault::unavailable;
  error.kind = base::class_of(error.fault);
  return error;
}

bool may_have_been_done(const GraphAnswer& answer) {
  if (answer.status >= 200 && answer.status < 300) return true;
  if (!answer.whole || answer.status < 500 || answer.status == 507 || answer.status == 509) {
    return false;
  }
  const std::string_view word = answer.judged.row != nullptr ? answer.judged.row->word : "";
  return word != "ApplicationThrottled" && word != "TooManyRequests" &&
         word != "ErrorExceededMessageLimit" && word != "ErrorQuotaExceeded";
}

// 8-4-4-4-12
std::string graph_request_name() {
  std::string name = base::random_hex(16);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) name.insert(at, "-");
  return name;
}

GraphAnswer graph_answer_of(const net::Record& record, const Delivery& delivery) {
  const account::Account& account = *delivery.account;
  const std::string sender = delivery.message->envelope.sender.text();
  base::GraphAnswerFacts facts;
  facts.http_status = static_cast<int>(record.number("status", 0) % 1000);
  facts.code = record.get("code");
  facts.message = record.get("message");
  for (std::size_t i = 0; i < inner_limit; ++i) {
    const std::string name = "inner." + std::to_string(i);
    if (record.has(name)) facts.inner_codes.push_back(record.get(name));
  }
  facts.authenticate = record.get("authenticate");
  facts.retry_after_s = record.number("retry_after", 0);
  facts.account = account.name;
  facts.user = account.user;
  facts.sender = sender;
  GraphAnswer answer;
  answer.status = facts.http_status;
  answer.whole = record.get("whole") == "1";
  answer.code = base::clean(facts.code, 100);
  answer.request_id = base::clean(record.get("request_id"), 100);
  answer.retry_after_s = facts.retry_after_s;
  if (answer.status == 401) answer.claims = claims_of(facts.authenticate);
  if (answer.status != 202) answer.judged = base::look_up_graph_answer(facts);
  return answer;
}

std::vector<base::Fate> graph_fates(const Delivery& delivery, base::Result<GraphAnswer> answer) {
  const mail::Envelope& envelope = delivery.message->envelope;
  const account::Account& account = *delivery.account;
  if (!answer) return same_fate(envelope, of_account(std::move(answer).error(), account));
  if (answer->status != 202) {
    base::Error error = of_account(answer->judged.error, account);
    if (!may_have_been_done(*answer)) return same_fate(envelope, error);
    const bool told = error.fault == base::Fault::outcome_unknown;
    return same_fate(envelope, told ? error : unknown_outcome(std::move(error)));
  }
  if (answer->whole) return all_delivered(delivery, *answer);
  return same_fate(
      envelope,
      of_account(unknown_outcome(base::failure(base::Fault::outcome_unknown,
                                               "provider answered 202 before it had the message",
                                               "look for it in Sent Items")),
                 account));
}

std::int64_t graph_pause_s(const GraphAnswer& answer) {
  if (answer.status == 429) return answer.judged.error.retry_after_s;
  const bool busy = answer.status == 503 || answer.status == 504 || answer.status == 509;
  return busy ? answer.retry_after_s : 0;
}

}  // namespace transport
