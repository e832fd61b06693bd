#include "sandbox/graph_error.h"

#include <algorithm>
#include <array>

#include "sandbox/json.h"

namespace sandbox {

namespace {

constexpr const char* challenge =
    "Bearer realm=\"\", "
    "authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", "
    "client_id=\"00000003-0000-0000-c000-000000000000\"";

struct Usual {
  int status;
  const char* code;
};
// The code of a fault that names only a status.
constexpr std::array usual_codes = {
    Usual{400, "ErrorInvalidRequest"},       Usual{401, "InvalidAuthenticationToken"},
    Usual{403, "ErrorAccessDenied"},         Usual{404, "ErrorItemNotFound"},
    Usual{409, "ErrorIrresolvableConflict"}, Usual{413, "ErrorMessageSizeExceeded"},
    Usual{429, "ApplicationThrottled"},      Usual{500, "ErrorInternalServerTransientError"},
    Usual{503, "ErrorServerBusy"},           Usual{504, "ErrorTimeoutExpired"},
    Usual{507, "ErrorQuotaExceeded"},
};

std::string usual_code(int status) {
  const auto found = std::find_if(usual_codes.begin(), usual_codes.end(),
                                  [&](const Usual& one) { return one.status == status; });
  return found == usual_codes.end() ? "UnknownError" : found->code;
}

WebEnd end_of(Fault::Action action) {
  switch (action) {
    case Fault::Action::close:
      return WebEnd::close;
    case Fault::Action::reset:
      return WebEnd::reset;
    case Fault::Action::hang:
      return WebEnd::hang;
    case Fault::Action::garbage:
      return WebEnd::garbage;
    default:
      return WebEnd::answer;
  }
}

}  // namespace

WebAnswer graph_answer(const GraphError& error) {
  WebAnswer answer;
  answer.status = error.status;
  answer.headers = error.headers;
  answer.body = write_json({{"error",
                             {{"code", error.code},
                              {"message", error.message},
                              {"innerError", {{"request-id", random_guid()}}}}}});
  return answer;
}

GraphError token_refusal(TokenFault fault, bool missing) {
  GraphError error{401, "InvalidAuthenticationToken", "", {{"WWW-Authenticate", challenge}}};
  switch (fault) {
    case TokenFault::expired:
      error.message = "Lifetime validation failed, the token is expired.";
      return error;
    case TokenFault::wrong_resource:
      error.message = "Access token validation failure. Invalid audience.";
      return error;
    case TokenFault::revoked:
      error.message = "Access token has expired or is not yet valid.";
      return error;
    case TokenFault::no_permission:
    case TokenFault::wrong_user:
      return {403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", {}};
    case TokenFault::no_mailbox_right:
      return {403,
              "ErrorAccessDenied",
              "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly "
              "AccessPolicy settings.",
              {}};
    default:
      error.message = missing ? "Access token is empty." : "CompactToken parsing failed.";
      return error;
  }
}

WebAnswer graph_answer(const Fault& fault) {
  const int status = fault.http_status != 0 ? fault.http_status
                     : fault.code != 0      ? fault.code
                                            : 503;
  WebAnswer answer = graph_answer(GraphError{
      status, fault.status.empty() ? usual_code(status) : fault.status,
      fault.reply.empty() ? "This is a fault of the sandbox." : fault.reply, fault.headers});
  if (!fault.body.empty()) answer.body = fault.body;
  if (fault.body.empty() && status < 300) answer.body.clear();
  answer.repeat = fault.repeat;
  answer.delay_ms = fault.delay_ms;
  answer.end = end_of(fault.action);
  return answer;
}

}  // namespace sandbox
