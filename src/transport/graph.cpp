#include "transport/graph.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "base/replies.h"
#include "base/text.h"
#include "mail/mime.h"
#include "transport/graph_envelope.h"
#include "transport/smtp.h"
#include "transport/smtp_commands.h"
#include "transport/smtp_transaction.h"

namespace transport {

namespace {

constexpr std::int64_t helper_grace_ms = 5000;
constexpr std::size_t inner_limit = 8;

// 8-4-4-4-12, as Graph writes its own.
std::string request_name() {
  std::string name = base::random_hex(16);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) name.insert(at, "-");
  return name;
}

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

base::Done judge_recipients(const Delivery& delivery) {
  const std::size_t recipients = delivery.message->envelope.recipients.size();
  const auto limit = static_cast<std::size_t>(delivery.account->max_recipients);
  if (limit == 0 || recipients <= limit) return base::done();
  return base::failure(base::Fault::bad_message,
                       "too many recipients for one message (" + std::to_string(recipients) +
                           ", the limit is " + std::to_string(limit) + ")",
                       "send it to fewer recipients");
}

std::uint64_t size_limit(const account::Account& account) {
  const auto own = static_cast<std::uint64_t>(account.max_size_bytes);
  return own == 0 ? graph_mime_limit : std::min(own, graph_mime_limit);
}

// NUL in a body is encoded (design section 4). All else fits: base64 has no long lines.
base::Done without_nul(const Delivery& delivery) {
  mail::Prepared& message = *delivery.message;
  if (!message.message.body_has_nul) return base::done();
  if (!delivery.reencode) {
    return base::failure(base::Fault::bad_message, "NUL byte in the message", "remove it");
  }
  base::Result<base::Scratch> before = mail::whole(message);
  if (!before) return std::move(before).error();
  base::Result<base::Scratch> after = delivery.reencode(*before, false);
  if (!after) return std::move(after).error();
  return mail::replace_whole(message, std::move(*after));
}

// What the helper said.
struct Answer {
  int status = 0;
  bool whole = true;
  std::string request_id{};
  base::Judged judged{};
};

Answer answer_of(const net::Record& record, const Delivery& delivery) {
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
  Answer answer;
  answer.status = facts.http_status;
  answer.whole = record.get("whole") == "1";
  answer.request_id = base::clean(record.get("request_id"), 100);
  if (answer.status != 202) answer.judged = base::look_up_graph_answer(facts);
  return answer;
}

base::Error lost(base::Error error) {
  error.fault = base::Fault::outcome_unknown;
  error.kind = base::class_of(error.fault);
  return error;
}

// Limits are kept before a request is looked at; any other 5xx may come after the work was done.
bool may_have_been_sent(const Answer& answer) {
  if (answer.status >= 200 && answer.status < 300) return true;
  if (!answer.whole || answer.status < 500 || answer.status == 507 || answer.status == 509) {
    return false;
  }
  const std::string_view word = answer.judged.row != nullptr ? answer.judged.row->word : "";
  return word != "ApplicationThrottled" && word != "TooManyRequests" &&
         word != "ErrorExceededMessageLimit" && word != "ErrorQuotaExceeded";
}

class Call {
 public:
  Call(const Delivery& delivery, const base::Scratch& message)
      : delivery_(delivery), message_(message) {}

  base::Result<Answer> make() {
    base::Result<Answer> answer = once(false);
    if (!answer || answer->status != 401) return answer;
    return once(true);
  }

 private:
  base::Result<Answer> once(bool fresh) {
    base::Result<base::Secret> token = delivery_.token(fresh);
    if (!token) return std::move(token).error();
    base::Result<net::Record> request = request_with(std::move(*token));
    if (!request) return std::move(request).error();
    show(*request);
    base::Result<net::Record> answer =
        delivery_.ask(*request, base::Deadline::after_ms(whole_s_ * 1000 + helper_grace_ms));
    if (!answer) return std::move(answer).error();
    if (net::has_error(*answer)) return net::get_error(*answer);
    Answer out = answer_of(*answer, delivery_);
    base::tell(delivery_.trace,
               "< " + std::to_string(out.status) + " " + base::clean(answer->get("code"), 100) +
                   (out.request_id.empty() ? "" : " request-id " + out.request_id));
    return out;
  }

  base::Result<net::Record> request_with(base::Secret token) {
    const account::Account& account = *delivery_.account;
    const Phases phases = Phases::scaled(account.timeout_s, message_.size_bytes() * 4 / 3);
    whole_s_ = phases.attempt_ms / 1000;
    net::Record request("graph");
    request.put("url", graph_address(account));
    request.put("ca_file", account.ca_file);
    request.put("proxy", account.https_proxy);
    request.put("connect_s", std::to_string(phases.connect_ms / 1000));
    request.put("whole_s", std::to_string(whole_s_));
    request.put("client_request_id", request_name());
    request.put("token", std::move(token));
    base::Result<int> lent = message_.lend_fd();
    if (!lent) return std::move(lent).error();
    request.attached.reset(fcntl(*lent, F_DUPFD_CLOEXEC, 3));
    if (!request.attached.open()) {
      return base::failure_errno(base::Fault::os, "cannot duplicate a descriptor", errno);
    }
    return request;
  }

  void show(const net::Record& request) const {
    base::tell(delivery_.trace, "> POST " + base::clean(request.get("url"), 200) +
                                    " client-request-id " +
                                    std::string(request.get("client_request_id")) + " (message, " +
                                    std::to_string(message_.size_bytes()) + " octets)");
  }

  const Delivery& delivery_;
  const base::Scratch& message_;
  std::int64_t whole_s_ = 0;
};

std::vector<base::Fate> fates_of(const Delivery& delivery, base::Result<Answer> answer) {
  const mail::Envelope& envelope = delivery.message->envelope;
  const account::Account& account = *delivery.account;
  if (!answer) return same_fate(envelope, of_account(std::move(answer).error(), account));
  if (answer->status != 202) {
    base::Error error = of_account(answer->judged.error, account);
    if (!may_have_been_sent(*answer)) return same_fate(envelope, error);
    const bool told = error.fault == base::Fault::outcome_unknown;
    return same_fate(envelope, told ? error : lost(std::move(error)));
  }
  if (!answer->whole) {
    return same_fate(
        envelope, of_account(lost(base::failure(base::Fault::outcome_unknown,
                                                "provider answered 202 before it had the message",
                                                "look for it in Sent Items")),
                             account));
  }
  std::vector<base::Fate> fates;
  for (const mail::Recipient& recipient : envelope.recipients) {
    base::Fate fate;
    fate.recipient = recipient.mailbox.text();
    fate.state = base::Fate::State::delivered;
    fate.said = answer->request_id.empty() ? "202" : "202 " + answer->request_id;
    fates.push_back(std::move(fate));
  }
  return fates;
}

// What a message over the limit meets.
std::vector<base::Fate> too_large_for_graph(const Delivery& delivery, std::uint64_t size,
                                            const BySmtp& by_smtp) {
  const account::Account& account = *delivery.account;
  base::Error error = too_large(size, size_limit(account), "Graph");
  error.cure = "set graph_large = smtp, or send less, or a link";
  if (account.graph_large == "upload") {
    error.cure = "graph_large = upload is not in this version; send less, or a link";
  }
  if (account.graph_large == "smtp") {
    const bool by_token =
        account.auth == account::Auth::xoauth2 || account.auth == account::Auth::oauthbearer;
    // A token names the one service that it is for, and ours is for Graph.
    if (!account.smtp_host.empty() && !by_token) return by_smtp(delivery);
    error.cure = account.smtp_host.empty()
                     ? "graph_large = smtp needs smtp_host, auth and user"
                     : "graph_large = smtp needs auth = plain, login or none; or send less";
  }
  return same_fate(delivery.message->envelope, of_account(std::move(error), account));
}

}  // namespace

std::string graph_address(const account::Account& account) {
  std::string base = account.graph_endpoint;
  while (!base.empty() && base.back() == '/') base.pop_back();
  if (account.grant == account::Grant::user) return base + "/me/sendMail";
  return base + "/users/" + base::percent_encode(account.user, "-._~@") + "/sendMail";
}

std::vector<base::Fate> deliver_by_graph(const Delivery& delivery, const BySmtp& by_smtp) {
  const account::Account& account = *delivery.account;
  mail::Prepared& message = *delivery.message;
  const auto all = [&](base::Error error) {
    return same_fate(message.envelope, of_account(std::move(error), account));
  };
  if (message.size_bytes() > size_limit(account)) {
    return too_large_for_graph(delivery, message.size_bytes(), by_smtp);
  }
  base::Done fit = judge_recipients(delivery);
  if (fit) fit = without_nul(delivery);
  if (!fit) return all(std::move(fit).error());
  base::Result<mail::Header> header =
      graph_header(message, account.envelope_rewrite ? Strays::moved : Strays::refused);
  if (!header) return all(std::move(header).error());
  std::swap(message.message.header, *header);
  // The recipients in Bcc, or an encoded body, may have made it larger.
  if (message.size_bytes() > size_limit(account)) {
    std::swap(message.message.header, *header);
    return too_large_for_graph(delivery, message.size_bytes(), by_smtp);
  }
  base::Result<base::Scratch> whole = mail::whole(message);
  if (!whole) return all(std::move(whole).error());
  return fates_of(delivery, Call(delivery, *whole).make());
}

}  // namespace transport
