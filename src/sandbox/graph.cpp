#include "sandbox/graph.h"

#include <poll.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"

namespace sandbox {

namespace {

constexpr std::string_view prefix = "/v1.0/";
constexpr std::int64_t slice_ms = 50;

std::string bearer_of(const WebRequest& request) {
  if (!base::starts_with_ignoring_case(request.authorization, "Bearer ")) return {};
  return request.authorization.substr(7);
}

std::vector<std::string> pieces_of(const std::string& path) {
  std::vector<std::string> pieces;
  if (path.rfind(prefix, 0) != 0) return pieces;
  for (const std::string_view one :
       base::split(std::string_view(path).substr(prefix.size()), '/')) {
    pieces.emplace_back(one);
  }
  return pieces;
}

// "messages/*/send"
bool fits(const std::vector<std::string>& rest, const char* form) {
  const std::vector<std::string_view> wanted = base::split(form, '/');
  if (wanted.size() != rest.size()) return false;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i].empty() || (wanted[i] != "*" && wanted[i] != rest[i])) return false;
  }
  return true;
}

void finish(const WebRequest& request, WebAnswer& answer) {
  const std::string id = random_guid();
  answer.headers.emplace_back("request-id", id);
  const std::string client = request.header("client-request-id");
  if (!client.empty() && client.size() <= 100 && !base::has_control(client)) {
    answer.headers.emplace_back("client-request-id", client);
  }
}

std::string outcome_of(const WebAnswer& answer) {
  if (answer.end != WebEnd::answer) return "no answer";
  const Json body = read_json(answer.body);
  const Json* error = member(body, "error");
  const std::string code = error == nullptr ? "" : text_member(*error, "code");
  return std::to_string(answer.status) + (code.empty() ? "" : " " + base::clean(code, 60));
}

}  // namespace

const std::vector<Graph::Kind>& Graph::kinds() {
  static const std::vector<Kind> list = {
      {"POST", "sendMail", "graph.send", "Mail.Send", &Graph::send_mail},
      {"POST", "messages", "graph.draft", "Mail.ReadWrite", &Graph::make_draft},
      {"GET", "messages/*", "graph.read", "Mail.ReadWrite", &Graph::read_draft},
      {"DELETE", "messages/*", "graph.delete", "Mail.ReadWrite", &Graph::delete_draft},
      {"POST", "messages/*/send", "graph.send", "Mail.Send", &Graph::send_draft},
      {"POST", "messages/*/attachments", "graph.attachment", "Mail.ReadWrite", &Graph::attach},
      {"POST", "messages/*/attachments/createUploadSession", "graph.session", "Mail.ReadWrite",
       &Graph::start_session},
  };
  return list;
}

bool Graph::owns(const std::string& path) {
  return path.rfind(prefix, 0) == 0 || path.rfind(upload_prefix, 0) == 0;
}

std::optional<WebAnswer> Graph::gate(WebRequest& request) {
  if (!owns(request.path)) return std::nullopt;
  std::optional<WebAnswer> early;
  if (const std::optional<AccessToken> token = services_.tenant.access(bearer_of(request))) {
    const std::vector<std::string> pieces = pieces_of(request.path);
    const bool other = pieces.size() > 1 && pieces[0] == "users";
    const std::string key =
        "graph " + token->client_id + " " + base::lower(other ? pieces[1] : token->user);
    if (services_.limits.enter_at_most(key, services_.options.graph_at_once)) {
      Limits& limits = services_.limits;
      request.held = std::shared_ptr<void>(nullptr, [&limits, key](void*) { limits.leave(key); });
    } else {
      early = graph_answer(GraphError{429,
                                      "ApplicationThrottled",
                                      "Application is over its MailboxConcurrency limit.",
                                      {{"Retry-After", "1"}}});
    }
  }
  if (const std::optional<Fault> fault = services_.faults.take("graph.request")) {
    if (fault->action != Fault::Action::slow) {
      early = graph_answer(*fault);
    } else {
      for (std::int64_t waited = 0; waited < fault->delay_ms && !services_.stopping;
           waited += slice_ms) {
        poll(nullptr, 0, static_cast<int>(slice_ms));
      }
    }
  }
  if (!early) return std::nullopt;
  finish(request, *early);
  services_.journal.note("graph.request", {{"outcome", outcome_of(*early)}});
  return early;
}

WebAnswer Graph::answer(const WebRequest& request) {
  std::string event = "graph.other";
  Details details = {{"method", request.method},
                     {"client_request_id", base::clean(request.header("client-request-id"), 100)}};
  const bool upload = request.path.rfind(upload_prefix, 0) == 0;
  WebAnswer answer = upload ? session(request, event, details) : work(request, event, details);
  finish(request, answer);
  details.emplace_back("outcome", outcome_of(answer));
  services_.journal.note(event, details);
  return answer;
}

std::optional<GraphError> Graph::find_mailbox(const WebRequest& request, const std::string& name,
                                              User& mailbox) const {
  const std::string token = bearer_of(request);
  const std::optional<AccessToken> facts = services_.tenant.access(token);
  std::string wanted = name;
  if (name.empty() && facts) {
    if (facts->app_only() && !facts->revoked && facts->expires > base::wall_seconds()) {
      return GraphError{
          400, "BadRequest", "/me request is only valid with delegated authentication flow.", {}};
    }
    wanted = facts->user;
  }
  const std::optional<User> user = services_.tenant.user(wanted);
  if (user) mailbox = *user;
  const TokenFault fault = services_.tenant.judge_graph(token, wanted, "");
  const bool of_token = fault == TokenFault::unknown || fault == TokenFault::expired ||
                        fault == TokenFault::revoked || fault == TokenFault::wrong_resource;
  if (of_token) return token_refusal(fault, token.empty());
  if (!user) {
    return GraphError{404,
                      "ErrorInvalidUser",
                      "The requested user '" + base::clean(wanted, 100) + "' is invalid.",
                      {}};
  }
  return std::nullopt;
}

WebAnswer Graph::work(const WebRequest& request, std::string& event, Details& details) {
  std::vector<std::string> pieces = pieces_of(request.path);
  std::string name;
  std::ptrdiff_t skipped = 1;
  if (pieces.size() > 1 && pieces[0] == "users") {
    name = pieces[1];
    skipped = 2;
  } else if (pieces.empty() || pieces[0] != "me") {
    return graph_answer(GraphError{400, "BadRequest", "Resource not found for the segment.", {}});
  }
  Call call{request, {}, {}, {pieces.begin() + skipped, pieces.end()}};
  bool known = false;
  const auto kind = std::find_if(kinds().begin(), kinds().end(), [&](const Kind& one) {
    const bool fitting = fits(call.rest, one.form);
    known = known || fitting;
    return fitting && request.method == one.method;
  });
  if (kind != kinds().end()) event = kind->event;
  if (const std::optional<GraphError> wrong = find_mailbox(request, name, call.mailbox)) {
    return graph_answer(*wrong);
  }
  if (kind == kinds().end()) {
    return graph_answer(
        known ? GraphError{405, "Request_BadRequest", "Method not allowed.", {}}
              : GraphError{400, "BadRequest", "Resource not found for the segment.", {}});
  }
  const TokenFault fault =
      services_.tenant.judge_graph(bearer_of(request), call.mailbox.name, kind->permission);
  if (fault != TokenFault::good) return graph_answer(token_refusal(fault, false));
  if (request.too_large ||
      static_cast<std::int64_t>(request.body.size()) > services_.options.graph_request_limit) {
    return graph_answer(GraphError{
        413, "ErrorMessageSizeExceeded", "The maximum request length supported is 4MB.", {}});
  }
  call.event = kind->event;
  call.details = {{"mailbox", call.mailbox.name}, {"token", token_mark(bearer_of(request))}};
  WebAnswer answer = (this->*kind->act)(call);
  details.insert(details.end(), call.details.begin(), call.details.end());
  return answer;
}

}  // namespace sandbox
