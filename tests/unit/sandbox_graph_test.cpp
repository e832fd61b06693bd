#include "catch.h"
#include "sandbox/graph_message.h"
#include "sandbox_client.h"

using namespace sandbox_test;
using sandbox::Json;
using sandbox::Options;

namespace {

constexpr const char* secret_id = "22222222-2222-4222-8222-222222222222";
constexpr const char* send_scope = "https://graph.microsoft.com/Mail.Send";
constexpr const char* draft_scope =
    "https://graph.microsoft.com/Mail.Send https://graph.microsoft.com/Mail.ReadWrite";
constexpr const char* simple =
    "From: Me <me@sandbox.example>\r\nTo: ann@example.org\r\nBcc: secret@example.org\r\n"
    "Subject: s\r\n\r\nbody\r\n";

std::string token_of(const Running& running, const std::string& scope = send_scope) {
  return refresh(running, first_refresh_token(running), scope).json()["access_token"];
}

std::string app_token(const Running& running) {
  const std::string secret = running.description()["apps"][1]["secret"];
  return post_form(running, token_path,
                   {{"grant_type", "client_credentials"},
                    {"client_id", secret_id},
                    {"client_secret", secret},
                    {"scope", "https://graph.microsoft.com/.default"}})
      .json()["access_token"];
}

Answer send_mail(const Running& running, const std::string& token, const std::string& mime,
                 const std::string& path = "/v1.0/me/sendMail") {
  return http(running, "POST", path, base::base64(mime), "text/plain", "Bearer " + token);
}

std::string code_of(const Answer& answer) {
  const Json body = answer.json();
  return body.contains("error") ? body["error"]["code"].get<std::string>() : "";
}

bool holds(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("graph: a MIME message goes to To, Cc and Bcc, and Bcc does not leave", "[sandbox]") {
  Running running;
  REQUIRE(running.box);
  const Answer answer =
      send_mail(running, token_of(running),
                "From: me@sandbox.example\r\nTo: Team: ann@example.org, Bob <BOB@example.org>;\r\n"
                "Cc: ann@Example.org (again)\r\nBcc: \"a, b\"@example.org,\r\n c@example.org\r\n"
                "Resent-To: nobody@example.org\r\nX-Mine: 1\r\nAuto-Submitted: auto-generated\r\n"
                "\r\nbody\r\n");
  REQUIRE(answer.status == 202);
  CHECK(answer.body.empty());
  CHECK(holds(answer.head, "request-id: "));
  REQUIRE(running.mails().size() == 1);
  const std::string mail = running.file(running.mails()[0]);
  CHECK(mail.rfind("X-Mailbearer-Sandbox: 1\r\nX-Envelope-From: <me@sandbox.example>\r\n", 0) == 0);
  for (const char* one :
       {"ann@example.org", "BOB@example.org", "\"a, b\"@example.org", "c@example.org"}) {
    CHECK(holds(mail, std::string("X-Envelope-To: <") + one + ">\r\n"));
  }
  CHECK_FALSE(holds(mail, "X-Envelope-To: <ann@Example.org>"));
  CHECK_FALSE(holds(mail, "X-Envelope-To: <nobody@"));
  CHECK_FALSE(holds(mail, "\r\nBcc:"));
  CHECK(holds(mail, "\r\nX-Mine: 1\r\nAuto-Submitted: auto-generated\r\n\r\nbody\r\n"));
}

TEST_CASE("graph: what is no base64 or no message is refused", "[sandbox]") {
  Running running;
  const std::string bearer = "Bearer " + token_of(running);
  const auto post = [&](const std::string& body, const std::string& type) {
    return http(running, "POST", "/v1.0/me/sendMail", body, type, bearer);
  };
  CHECK(code_of(post("%%%", "text/plain")) == "ErrorMimeContentInvalidBase64String");
  CHECK(code_of(post("", "text/plain")) == "ErrorMimeContentInvalidBase64String");
  CHECK(code_of(post(base::base64("no header"), "text/plain")) ==
        "ErrorMimeContentConversionFailed");
  CHECK(post("{\"message\":{}}", "application/json").status == 415);
  const auto refused = [&](const std::string& mime) {
    return code_of(post(base::base64(mime), "text/plain"));
  };
  CHECK(refused("From: me@sandbox.example\r\n\r\n") == "ErrorInvalidRecipients");
  CHECK(refused("To: undisclosed-recipients:;\r\n\r\n") == "ErrorInvalidRecipients");
  CHECK(refused("To: root\r\n\r\n") == "ErrorInvalidRecipients");
  CHECK(refused("From: me@sandbox.example\r\nFrom: x@y.example\r\nTo: a@b.example\r\n\r\n") ==
        "ErrorMimeContentConversionFailed");
  CHECK(running.mails().empty());
  std::string folded = base::base64(simple);
  folded.insert(20, "\r\n");
  CHECK(post(folded, "text/plain; charset=utf-8").status == 202);
}

TEST_CASE("graph: tokens, mailboxes and senders", "[sandbox]") {
  Running running;
  const Answer none = http(running, "POST", "/v1.0/me/sendMail", "", "text/plain");
  CHECK(none.status == 401);
  CHECK(code_of(none) == "InvalidAuthenticationToken");
  CHECK(holds(none.head, "WWW-Authenticate: Bearer "));
  CHECK(send_mail(running, "junk", simple).status == 401);
  CHECK(send_mail(running, token_of(running, "https://outlook.office.com/SMTP.Send"), simple)
            .status == 401);
  CHECK(send_mail(running, token_of(running, "https://graph.microsoft.com/User.Read"), simple)
            .status == 403);
  const std::string mine = token_of(running);
  CHECK(code_of(send_mail(running, mine, simple, "/v1.0/users/nobody@sandbox.example/sendMail")) ==
        "ErrorInvalidUser");
  CHECK(send_mail(running, mine, simple, "/v1.0/users/scanner@sandbox.example/sendMail").status ==
        403);
  CHECK(send_mail(running, mine, simple, "/v1.0/users/ME%40sandbox.example/sendMail").status ==
        202);
  const Answer denied = send_mail(running, mine, "From: x@y.example\r\nTo: a@b.example\r\n\r\n");
  CHECK(denied.status == 403);
  CHECK(code_of(denied) == "ErrorSendAsDenied");
  control(running, "revoke", {{"what", "access"}});
  CHECK(send_mail(running, mine, simple).status == 401);
}

TEST_CASE("graph: an application sends for the mailboxes it was given", "[sandbox]") {
  Running running;
  const std::string token = app_token(running);
  const std::string mail = "From: shop@apps.sandbox.example\r\nTo: a@example.org\r\n\r\nx\r\n";
  CHECK(send_mail(running, token, mail).status == 400);
  CHECK(send_mail(running, token, mail, "/v1.0/users/noreply@sandbox.example/sendMail").status ==
        202);
  const Answer other = send_mail(running, token, simple, "/v1.0/users/me@sandbox.example/sendMail");
  CHECK(other.status == 403);
  CHECK(code_of(other) == "ErrorAccessDenied");
  CHECK(code_of(send_mail(running, token, simple, "/v1.0/users/x@sandbox.example/sendMail")) ==
        "ErrorInvalidUser");
}

TEST_CASE("graph: the documented limits (G1, G7)", "[sandbox]") {
  Options options;
  options.recipient_limit = 2;
  options.messages_per_minute = 1;
  Running running(options);
  const std::string token = token_of(running);
  const Answer large =
      send_mail(running, token, simple + std::string(std::size_t{3} * 1024 * 1024, 'x'));
  CHECK(large.status == 413);
  CHECK(code_of(large) == "ErrorMessageSizeExceeded");
  CHECK(send_mail(running, token, "To: a@b.example, c@b.example, d@b.example\r\n\r\n").status ==
        400);
  CHECK(send_mail(running, token, simple).status == 202);
  const Answer second = send_mail(running, token, simple);
  CHECK(second.status == 429);
  CHECK(code_of(second) == "ApplicationThrottled");
  CHECK(holds(second.head, "Retry-After: 60\r\n"));
  CHECK(running.mails().size() == 1);
}

TEST_CASE("graph: four requests at once, and no more", "[sandbox]") {
  Options options;
  options.graph_at_once = 1;
  Running running(options);
  const std::string token = token_of(running);
  control(running, "fault", {{"stage", "graph.send"}, {"delay_ms", 2000}});
  Client slow(running.places().http_port, running.places().ca_file);
  REQUIRE(slow.start_tls());
  const std::string body = base::base64(simple);
  slow.send(
      "POST /v1.0/me/sendMail HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
      "Authorization: Bearer " +
      token + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  for (int i = 0; i < 500 && running.mails().empty(); ++i) usleep(5000);
  const Answer second = send_mail(running, token, simple);
  CHECK(second.status == 429);
  CHECK(holds(second.body, "MailboxConcurrency"));
  slow.fill();
  CHECK(holds(slow.reply(), "HTTP/1.1 202"));
  CHECK(send_mail(running, token, simple).status == 202);
}

TEST_CASE("graph: faults by the control endpoint (G2, G4, G6)", "[sandbox]") {
  Running running;
  const std::string token = token_of(running);
  const auto with = [&](Json fault) {
    if (!fault.contains("stage")) fault["stage"] = "graph.send";
    CHECK(control(running, "fault", fault).status == 200);
    return send_mail(running, token, simple);
  };
  const Answer busy = with({{"status", 503}, {"retry_after", 17}});
  CHECK(busy.status == 503);
  CHECK(code_of(busy) == "ErrorServerBusy");
  CHECK(holds(busy.head, "Retry-After: 17\r\n"));
  CHECK(with({{"status", 200}}).status == 200);
  CHECK(with({{"status", 400}, {"code", "Odd"}, {"message", "m"}}).body.find("\"Odd\"") !=
        std::string::npos);
  CHECK(with({{"redirect", "https://127.0.0.1:1/"}}).status == 302);
  CHECK(with({{"action", "close"}}).status == 0);
  CHECK(with({{"action", "reset"}}).status == 0);
  CHECK(with({{"action", "garbage"}}).status == 0);
  CHECK(with({{"stage", "graph.request"}, {"action", "reset"}}).status == 0);
  CHECK(with({{"stage", "graph.request"}, {"status", 429}}).status == 429);
  CHECK(running.mails().empty());
  CHECK(with({{"action", "close"}, {"keep", true}}).status == 0);
  CHECK(running.mails().size() == 1);
  CHECK(with({{"status", 504}, {"keep", true}}).status == 504);
  CHECK(running.mails().size() == 2);
  CHECK(with({{"status", 503}, {"skip", 1}}).status == 202);
  CHECK(send_mail(running, token, simple).status == 503);
  CHECK(control(running, "fault", {{"stage", "graph.nothing"}, {"status", 500}}).status == 400);
  CHECK(running.box->journal().count("graph.kept") == 3);
}

TEST_CASE("graph: faults by recipient", "[sandbox]") {
  Running running;
  const std::string token = token_of(running);
  const auto to = [&](const std::string& local) {
    return send_mail(running, token, "To: " + local + "@example.org\r\n\r\nx\r\n").status;
  };
  CHECK(to("fault+429-at-graph-times-1") == 429);
  CHECK(to("fault+429-at-graph-times-1") == 202);
  CHECK(to("fault+close-at-graph") == 0);
  CHECK(running.mails().size() == 1);
  CHECK(to("fault+close-after-graph") == 0);
  CHECK(running.mails().size() == 2);
  // A refusal by the recipient's server comes later, as a bounce.
  CHECK(to("fault+550-5.1.1") == 202);
}

TEST_CASE("graph: quirks of the real service behind options", "[sandbox]") {
  Options options;
  options.graph_drop_headers = true;
  options.graph_lose_over = 1000;
  Running running(options);
  const std::string token = token_of(running);
  CHECK(send_mail(running, token, simple + std::string(1000, 'x')).status == 200);
  CHECK(running.mails().empty());
  CHECK(send_mail(running, token,
                  "To: a@b.example\r\nAuto-Submitted: auto-generated\r\nList-Id: <l>\r\n"
                  "X-Mine: 1\r\nContent-Type: text/plain\r\n\r\nx\r\n")
            .status == 202);
  const std::string mail = running.file(running.mails()[0]);
  CHECK_FALSE(holds(mail, "Auto-Submitted"));
  CHECK_FALSE(holds(mail, "List-Id"));
  CHECK(holds(mail, "X-Mine: 1\r\nContent-Type: text/plain\r\n\r\nx\r\n"));
}
