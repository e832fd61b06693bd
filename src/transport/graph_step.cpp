#include "transport/graph_step.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/process.h"
#include "base/text.h"
#include "transport/mailbox_pace.h"

namespace transport {

namespace {

constexpr std::int64_t helper_grace_ms = 5000;
constexpr int tries_limit = 6;
constexpr std::int64_t first_pause_ms = 500;
constexpr std::int64_t longest_pause_ms = 30'000;
constexpr std::int64_t look_ms = 100;  // how often a wait looks for a signal
constexpr std::int64_t slowest_bytes_per_s = std::int64_t{32} * 1024;

// What a step may take: a reply as SMTP's content has, and the time for its bytes.
std::int64_t patience_s(const account::Account& account, const GraphStep& step) {
  const std::int64_t unit = std::clamp<std::int64_t>(account.timeout_s, 1, 3600);
  // Giving up on the last step early would make duplicates.
  const std::int64_t reply = std::string_view(step.name) == "send" ? 20 * unit : 6 * unit;
  return reply + static_cast<std::int64_t>(step.bytes) / slowest_bytes_per_s;
}

bool passing(int status) {
  return status == 408 || status == 429 || status == 509 ||
         (status >= 500 && status != 501 && status != 505 && status != 507);
}

bool may_be_repeated(const GraphStep& step, const base::Result<StepAnswer>& answer) {
  if (step.again == GraphStep::Again::never) return false;
  if (!answer) {
    const base::Fault fault = answer.error().fault;
    return step.again == GraphStep::Again::always &&
           (fault == base::Fault::unavailable || fault == base::Fault::outcome_unknown);
  }
  const int status = answer->verdict.status;
  return step.again == GraphStep::Again::always ? passing(status) : status == 429;
}

}  // namespace

base::Result<StepAnswer> GraphSteps::make(const GraphStep& step) {
  for (int failures = 1;; ++failures) {
    base::Done going = may_go_on();
    if (!going) return std::move(going).error();
    base::Result<StepAnswer> answer =
        step.upload_url == nullptr ? with_token(step) : once(step, base::Secret());
    if (answer && delivery_.pace != nullptr) {
      delivery_.pace->pause(graph_pause_s(answer->verdict), answer->verdict.judged.error.cause);
    }
    if (failures == tries_limit || !may_be_repeated(step, answer)) return answer;
    const std::int64_t asked = answer ? answer->verdict.judged.error.retry_after_s : 0;
    if (!wait(asked, failures)) return answer;
  }
}

// A refused token is replaced once, by one that claims what the refusal asked for.
base::Result<StepAnswer> GraphSteps::with_token(const GraphStep& step) {
  base::Result<StepAnswer> answer = once(step, delivery_.token(false));
  if (!answer || answer->verdict.status != 401) return answer;
  const std::string& claims = answer->verdict.claims;
  const bool challenged = !claims.empty() && delivery_.token_claiming;
  return once(step, challenged ? delivery_.token_claiming(claims) : delivery_.token(true));
}

bool GraphSteps::wait(std::int64_t retry_after_s, int failures) {
  std::int64_t left = retry_after_s * 1000;
  if (left == 0) left = std::min(first_pause_ms << (failures - 1), longest_pause_ms);
  if (attempt_.left_ms() >= 0 && left >= attempt_.left_ms()) return false;
  base::tell(delivery_.trace, "waiting " + std::to_string((left + 999) / 1000) + " s");
  const base::Deadline until = base::Deadline::after_ms(left);
  while (!until.passed()) {
    if (heeds_signals_ && base::SignalHold::waiting()) return false;
    poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(look_ms, until.left_ms())));
  }
  return true;
}

base::Done GraphSteps::may_go_on() const {
  if (heeds_signals_ && base::SignalHold::waiting()) {
    return base::failure(base::Fault::unavailable, "interrupted while uploading", "send it again");
  }
  if (!attempt_.passed()) return base::done();
  return base::failure(base::Fault::unavailable, "uploading took too long",
                       "try again, or set a longer timeout");
}

base::Result<StepAnswer> GraphSteps::clean_up(const GraphStep& step, std::int64_t within_ms) {
  const base::Deadline attempt = std::exchange(attempt_, base::Deadline::after_ms(within_ms));
  heeds_signals_ = false;
  base::Result<StepAnswer> answer = make(step);
  attempt_ = attempt;
  heeds_signals_ = true;
  return answer;
}

base::Result<StepAnswer> GraphSteps::once(const GraphStep& step, base::Result<base::Secret> token) {
  if (!token) return std::move(token).error();
  base::Result<net::Record> request = record_of(step, std::move(*token));
  if (!request) return std::move(request).error();
  show(step, *request);
  if (delivery_.trail != nullptr && step.upload_url == nullptr) {
    delivery_.trail->client_request_id = std::string(request->get("client_request_id"));
  }
  base::Result<net::Record> answer =
      delivery_.ask(*request, base::Deadline::after_ms(whole_s_ * 1000 + helper_grace_ms));
  if (!answer) return std::move(answer).error();
  if (net::has_error(*answer)) return net::get_error(*answer);
  StepAnswer out;
  out.verdict = graph_answer_of(*answer, delivery_);
  if (delivery_.trail != nullptr && step.upload_url == nullptr) {
    delivery_.trail->request_id = out.verdict.request_id;
  }
  out.id = std::string(answer->get("id"));
  out.upload_url = answer->take("upload_url");
  if (answer->has("next")) {
    out.next = static_cast<std::uint64_t>(std::max<std::int64_t>(answer->number("next", 0), 0));
  }
  base::tell(delivery_.trace,
             "< " + std::to_string(out.verdict.status) +
                 (out.verdict.code.empty() ? "" : " " + out.verdict.code) +
                 (out.verdict.request_id.empty() ? "" : " request-id " + out.verdict.request_id));
  return out;
}

base::Result<net::Record> GraphSteps::record_of(const GraphStep& step, base::Secret token) {
  const account::Account& account = *delivery_.account;
  const std::int64_t left_s = std::max(attempt_.left_ms() / 1000, 1);
  whole_s_ = std::min(patience_s(account, step), left_s);
  net::Record record("graph-call");
  record.put("step", step.name);
  record.put("ca_file", account.ca_file);
  record.put("proxy", account.https_proxy);
  record.put("connect_s", std::to_string(std::clamp<std::int64_t>(account.timeout_s, 1, 3600)));
  record.put("whole_s", std::to_string(whole_s_));
  for (const auto& [name, value] : step.fields) record.put(name, value);
  if (step.upload_url != nullptr) {
    record.put("url", step.upload_url->clone());
  } else {
    record.put("url", step.url);
    record.put("client_request_id", graph_request_name());
    record.put("token", std::move(token));
  }
  if (!step.with_file) return record;
  base::Result<int> lent = file_.lend_fd();
  if (!lent) return std::move(lent).error();
  record.attached.reset(fcntl(*lent, F_DUPFD_CLOEXEC, 3));
  if (record.attached.open()) return record;
  return base::failure_errno(base::Fault::os, "cannot duplicate a descriptor", errno);
}

void GraphSteps::show(const GraphStep& step, const net::Record& record) const {
  if (!delivery_.trace) return;
  std::string line = "> " + std::string(step.name);
  // The upload URL is a secret.
  if (step.upload_url == nullptr) {
    line += " " + base::clean(record.get("url"), 300) + " client-request-id " +
            std::string(record.get("client_request_id"));
  }
  for (const char* name : {"begin", "size", "total"}) {
    if (record.has(name)) line += " " + std::string(name) + " " + std::string(record.get(name));
  }
  base::tell(delivery_.trace, line);
}

}  // namespace transport
