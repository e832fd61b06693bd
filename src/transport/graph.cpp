#include "transport/graph.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "mail/mime.h"
#include "transport/graph_envelope.h"
#include "transport/graph_upload.h"
#include "transport/graph_verdict.h"
#include "transport/mailbox_pace.h"
#include "transport/smtp.h"
#include "transport/smtp_commands.h"
#include "transport/smtp_transaction.h"

namespace transport {

namespace {

constexpr std::int64_t helper_grace_ms = 5000;
// No mailbox takes more in any way.
constexpr std::uint64_t upload_limit = std::uint64_t{150} * 1024 * 1024;
// Per app and mailbox (facts 3.6). More are answered 429.
constexpr int graph_at_once = 4;

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

std::vector<base::Fate> turned_aside(const Delivery& delivery, base::Error error,
                                     base::Fate::Detour detour) {
  std::vector<base::Fate> fates =
      same_fate(delivery.message->envelope, of_account(std::move(error), *delivery.account));
  for (base::Fate& fate : fates) fate.detour = detour;
  return fates;
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
  const std::uint64_t at_once = account.graph_large == "upload" ? upload_limit : graph_mime_limit;
  return own == 0 ? at_once : std::min(own, at_once);
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

class Call {
 public:
  Call(const Delivery& delivery, const base::Scratch& message)
      : delivery_(delivery), message_(message) {}

  // A refused token is replaced once, by one that claims what the refusal asked for.
  base::Result<GraphAnswer> make(base::Secret token) {
    base::Result<GraphAnswer> answer = once(std::move(token));
    if (!answer || answer->status != 401) return answer;
    const bool challenged = !answer->claims.empty() && delivery_.token_claiming;
    return once(challenged ? delivery_.token_claiming(answer->claims) : delivery_.token(true));
  }

 private:
  base::Result<GraphAnswer> once(base::Result<base::Secret> token) {
    if (!token) return std::move(token).error();
    base::Result<net::Record> request = request_with(std::move(*token));
    if (!request) return std::move(request).error();
    show(*request);
    if (delivery_.trail != nullptr) {
      delivery_.trail->client_request_id = std::string(request->get("client_request_id"));
    }
    base::Result<net::Record> answer =
        delivery_.ask(*request, base::Deadline::after_ms(whole_s_ * 1000 + helper_grace_ms));
    if (!answer) return std::move(answer).error();
    if (net::has_error(*answer)) return net::get_error(*answer);
    GraphAnswer out = graph_answer_of(*answer, delivery_);
    if (delivery_.trail != nullptr) delivery_.trail->request_id = out.request_id;
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
    request.put("client_request_id", graph_request_name());
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

// What a message over the limit meets.
std::vector<base::Fate> too_large_for_graph(const Delivery& delivery, std::uint64_t size) {
  const account::Account& account = *delivery.account;
  base::Error error = too_large(size, size_limit(account), "Graph");
  error.cure = "set graph_large = smtp or upload, or send less, or a link";
  if (account.graph_large == "upload") error.cure = "send less, or a link";
  if (account.graph_large != "smtp") {
    return same_fate(delivery.message->envelope, of_account(std::move(error), account));
  }
  error.cure = "name a fallback, or smtp_host and smtp_scope";
  return turned_aside(delivery, std::move(error), base::Fate::Detour::fallback_or_smtp);
}

// One request more at the same time, and one at least that the provider is ready for.
std::vector<base::Fate> in_turn(const Delivery& delivery, const base::Scratch& message) {
  // The token first: a rotated one must not wait for a turn.
  base::Result<base::Secret> token = delivery.token(false);
  if (!token) return graph_fates(delivery, std::move(token).error());
  base::Fd turn;
  if (delivery.pace != nullptr) {
    const std::int64_t since = base::boot_ms();
    base::Result<base::Fd> got =
        delivery.pace->turn(graph_at_once, delivery.account->pace_wait_s * 1000);
    if (delivery.trail != nullptr) delivery.trail->waited_ms += base::boot_ms() - since;
    if (!got) return graph_fates(delivery, std::move(got).error());
    turn = std::move(*got);
  }
  if (message.size_bytes() > graph_mime_limit) {
    return deliver_by_upload(delivery, message, graph_mime_limit);
  }
  if (delivery.before_end) {
    base::Done noted = delivery.before_end(0, delivery.message->envelope.recipients.size());
    if (!noted) return graph_fates(delivery, std::move(noted).error());
  }
  base::Result<GraphAnswer> answer = Call(delivery, message).make(std::move(*token));
  if (answer && delivery.pace != nullptr) {
    delivery.pace->pause(graph_pause_s(*answer), answer->judged.error.cause);
  }
  return graph_fates(delivery, std::move(answer));
}

}  // namespace

std::string graph_address(const account::Account& account) {
  return graph_mailbox(account) + "/sendMail";
}

bool graph_takes(const account::Account& account, std::uint64_t size_bytes) {
  return size_bytes <= size_limit(account);
}

std::vector<base::Fate> deliver_by_graph(const Delivery& delivery) {
  const account::Account& account = *delivery.account;
  mail::Prepared& message = *delivery.message;
  const auto all = [&](base::Error error) {
    return same_fate(message.envelope, of_account(std::move(error), account));
  };
  if (!graph_takes(account, message.size_bytes())) {
    return too_large_for_graph(delivery, message.size_bytes());
  }
  base::Done fit = judge_recipients(delivery);
  if (fit) fit = without_nul(delivery);
  if (!fit) return all(std::move(fit).error());
  base::Result<mail::Header> header =
      graph_header(message, account.envelope_rewrite ? Strays::moved : Strays::refused);
  // Not what this message is, but what Graph makes of it: another account may send it.
  if (!header) {
    return turned_aside(delivery, std::move(header).error(), base::Fate::Detour::fallback);
  }
  std::swap(message.message.header, *header);
  // The recipients in Bcc, or an encoded body, may have made it larger.
  if (!graph_takes(account, message.size_bytes())) {
    std::swap(message.message.header, *header);
    return too_large_for_graph(delivery, message.size_bytes());
  }
  base::Result<base::Scratch> whole = mail::whole(message);
  if (!whole) return all(std::move(whole).error());
  return in_turn(delivery, *whole);
}

}  // namespace transport
