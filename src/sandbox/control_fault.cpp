#include <algorithm>

#include "base/text.h"
#include "sandbox/control.h"
#include "sandbox/entra.h"
#include "sandbox/tls_identity.h"

namespace sandbox {

namespace {

constexpr std::int64_t repeated_limit_bytes = 1LL << 30;

// Retry-After, redirect and the rest of an HTTP answer.
std::string read_http_fault(const Json& asked, Fault& fault) {
  fault.http_status = static_cast<int>(number_member(asked, "status"));
  if (fault.http_status != 0 && (fault.http_status < 200 || fault.http_status > 599)) {
    return "status must be from 200 to 599";
  }
  fault.body = text_member(asked, "body");
  fault.repeat = std::max<std::int64_t>(1, number_member(asked, "repeat", 1));
  if (fault.repeat > repeated_limit_bytes / static_cast<std::int64_t>(fault.body.size() + 1)) {
    return "body and repeat make more than 1 GiB";
  }
  if (is_graph_stage(fault.stage)) {
    fault.status = text_member(asked, "code");
    fault.reply = text_member(asked, "message");
    if (const std::string text = text_member(asked, "authenticate"); !text.empty()) {
      fault.headers.emplace_back("WWW-Authenticate", text);
    }
  } else if (const long code = number_member(asked, "code"); code != 0 || asked.contains("error")) {
    EntraError error = entra_error(code, text_member(asked, "description"));
    error.error = text_member(asked, "error", error.error);
    if (!asked.contains("code")) error.codes.clear();
    if (fault.http_status != 0) error.status = fault.http_status;
    const WebAnswer shaped = entra_answer(error);
    fault.http_status = shaped.status;
    fault.body = shaped.body;
    fault.headers = shaped.headers;
  }
  if (const Json* retry = member(asked, "retry_after")) {
    fault.headers.emplace_back("Retry-After",
                               retry->is_string() ? retry->get<std::string>() : write_json(*retry));
    if (fault.http_status == 0) fault.http_status = 429;
  }
  if (const std::string to = text_member(asked, "redirect"); !to.empty()) {
    fault.headers.emplace_back("Location", to);
    if (fault.http_status == 0) fault.http_status = 302;
  }
  if (!fault.body.empty() && fault.http_status == 0) fault.http_status = 200;
  for (const auto& [name, value] : fault.headers) {
    if (base::has_control(value)) return name + " holds a control byte";
  }
  return {};
}

}  // namespace

Fault read_fault(const Json& asked, std::string& wrong) {
  Fault fault;
  fault.stage = text_member(asked, "stage");
  fault.times = number_member(asked, "times", 1);
  fault.delay_ms = std::clamp<std::int64_t>(number_member(asked, "delay_ms"), 0, 600'000);
  fault.skip = std::clamp<std::int64_t>(number_member(asked, "skip"), 0, 1'000'000);
  fault.keep = flag_member(asked, "keep");
  fault.reply = text_member(asked, "reply");
  fault.challenge = text_member(asked, "challenge");
  fault.certificate = text_member(asked, "certificate");
  const std::string action = text_member(asked, "action");
  if (!action.empty() && !parse_action(action, fault.action)) {
    wrong = "unknown action " + base::clean(action, 40);
  } else if (fault.times < 1) {
    wrong = "times must be at least 1";
  } else if (fault.stage == "token" || fault.stage == "devicecode" || is_graph_stage(fault.stage)) {
    wrong = read_http_fault(asked, fault);
    // A delay alone keeps the true answer.
    const bool nothing_else = fault.http_status == 0 && fault.action == Fault::Action::reply;
    if (nothing_else && fault.delay_ms > 0) fault.action = Fault::Action::slow;
  } else if (!is_smtp_stage(fault.stage)) {
    wrong = "unknown stage " + base::clean(fault.stage, 40);
  } else if (!fault.certificate.empty()) {
    CertificateKind kind = CertificateKind::good;
    if (fault.stage != "tls" || !parse_certificate_kind(fault.certificate, kind)) {
      wrong = "certificate is for stage tls: expired, not-yet-valid, wrong-name or self-signed";
    }
  } else if (fault.action == Fault::Action::reply && fault.reply.empty() && fault.delay_ms == 0 &&
             fault.challenge.empty()) {
    wrong = "a fault needs an action, a reply, a challenge or a delay_ms";
  }
  return fault;
}

}  // namespace sandbox
