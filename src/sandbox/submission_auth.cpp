#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"
#include "sandbox/intake.h"
#include "sandbox/json.h"
#include "sandbox/sasl.h"
#include "sandbox/submission.h"

namespace sandbox {

namespace {

constexpr std::size_t response_limit = 12'288 + 2;  // RFC 4954 section 4
constexpr std::size_t initial_limit = 512;

}  // namespace

Submission::Next Submission::auth(std::string_view arguments) {
  const std::size_t blank = arguments.find(' ');
  const std::string_view mechanism = arguments.substr(0, blank);
  const bool xoauth2 = base::same_ignoring_case(mechanism, "XOAUTH2");
  const bool bearer =
      base::same_ignoring_case(mechanism, "OAUTHBEARER") && services_.options.oauthbearer;
  const bool login = base::same_ignoring_case(mechanism, "LOGIN");
  if (!greeted_) return reply("503 5.5.2 Send hello first");
  if (user_) return reply("503 5.5.2 Already authenticated");
  if (in_transaction_) return reply("503 5.5.2 No AUTH within a transaction");
  if (!connection_.encrypted() || !offers("AUTH") || !(xoauth2 || bearer || login)) {
    return reply("504 5.7.4 Unrecognized authentication type " + stamp());
  }
  std::string response =
      blank == std::string_view::npos ? std::string() : std::string(arguments.substr(blank + 1));
  // "AUTH " and CRLF count, too.
  if (services_.options.strict_auth_line && arguments.size() + 7 > initial_limit) {
    return reply("500 5.5.6 Authentication exchange line is too long");
  }
  if (login) {
    if (!auth_login()) return Next::stop;
    pause(services_.options.tarpit_ms);
    return reply("535 5.7.139 Authentication unsuccessful, basic authentication is disabled. " +
                 stamp());
  }
  note("smtp.auth.start", {{"outcome", response.empty() ? "two steps" : "initial response"}});
  if (response.empty()) {
    if (!wire_.write("334 \r\n")) return Next::stop;
    switch (wire_.line(response, response_limit)) {
      case Wire::Got::line:
        break;
      case Wire::Got::too_long:
        return reply("500 5.5.6 Authentication exchange line is too long");
      default:
        return Next::stop;
    }
  }
  if (response == "*") return reply("501 5.7.0 Authentication cancelled");
  return judge_response(bearer, response);
}

bool Submission::auth_login() {
  std::string thrown_away;
  for (const char* asked : {"334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"}) {
    if (!wire_.write(asked)) return false;
    if (wire_.line(thrown_away, response_limit) != Wire::Got::line) return false;
  }
  base::wipe(thrown_away);
  return true;
}

Submission::Next Submission::judge_response(bool bearer, const std::string& response) {
  if (const std::optional<Fault> fault = services_.faults.take("auth")) {
    if (!fault->challenge.empty() && !exchange_challenge(fault->challenge, bearer ? "AQ==" : "")) {
      return Next::stop;
    }
    const Struck struck = suffer(*fault, "AUTH");
    if (struck != Struck::no) return struck == Struck::gone ? Next::stop : Next::go_on;
  }
  base::Result<SaslClaim> claim = bearer ? read_oauthbearer(response) : read_xoauth2(response);
  if (!claim) return refuse_token(bearer, claim.error().cause, false);
  shown_ += " " + base::clean(claim->user, 254) + " token " + token_mark(claim->token.reveal());
  bool whole_tenant = false;
  if (!services_.tenant.smtp_auth_allowed(claim->user, whole_tenant)) {
    pause(services_.options.tarpit_ms);
    return reply(
        std::string("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled "
                    "for the ") +
        (whole_tenant ? "Tenant" : "Mailbox") +
        ". Visit https://aka.ms/smtp_auth_disabled for more information. " + stamp());
  }
  const TokenFault fault = services_.tenant.judge_smtp(claim->token.reveal(), claim->user);
  const std::optional<User> user = services_.tenant.user(claim->user);
  if (fault != TokenFault::good || !user) {
    return refuse_token(bearer, std::string(name_of(fault)), user && user->challenge);
  }
  user_ = user;
  services_.limits.enter(base::lower(user->name));
  return reply("235 2.7.0 Authentication successful");
}

Submission::Next Submission::refuse_token(bool bearer, const std::string& reason, bool challenge) {
  note("smtp.auth.refused", {{"outcome", reason}});
  pause(services_.options.tarpit_ms);
  // Exchange says no at once; Google and RFC 7628 send what went wrong as JSON first.
  if (!challenge && !bearer && !services_.options.challenge) {
    return reply("535 5.7.3 Authentication unsuccessful " + stamp());
  }
  const std::string why = write_json({{"status", bearer ? "invalid_token" : "401"},
                                      {"schemes", "bearer"},
                                      {"scope", "https://outlook.office.com/SMTP.Send"}});
  if (!exchange_challenge(why, bearer ? "AQ==" : "")) return Next::stop;
  return reply("535 5.7.8 Username and Password not accepted " + stamp());
}

bool Submission::exchange_challenge(const std::string& json, const std::string& right_answer) {
  if (!wire_.write("334 " + base::base64(json) + "\r\n")) return false;
  std::string answer;
  if (wire_.line(answer, response_limit) != Wire::Got::line) return false;
  note("smtp.auth.challenge", {{"outcome", answer == right_answer ? "answered" : "wrong answer"}});
  return true;
}

}  // namespace sandbox
