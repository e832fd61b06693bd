#include "transport/graph.h"

#include <algorithm>
#include <functional>
#include <memory>

#include "base/seal.h"
#include "catch.h"
#include "https_server.h"
#include "net/http_curl.h"
#include "transport/graph_answer.h"
#include "transport/graph_challenge.h"
#include "transport/graph_request.h"
#include "transport/mailbox_pace.h"
#include "transport_script.h"

using base::Fault;
using script::HttpsServer;
using script::say;
using State = base::Fate::State;

namespace {

std::string answer(const std::string& status, const std::string& fields = {},
                   const std::string& body = {}) {
  return "HTTP/1.1 " + status + "\r\nrequest-id: 11-22\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string fault(const std::string& code, const std::string& words = "words") {
  return "{\"error\":{\"code\":\"" + code + "\",\"message\":\"" + words +
         "\",\"innerError\":{\"code\":\"Deeper\",\"date\":\"x\"}}}";
}

// One delivery, from the prepared message to the fates, over a real connection. Only the two
// processes are one here.
struct Trial {
  Trial() {
    account.name = "work";
    account.user = "me@corp.example";
    account.transport = account::Transport::graph;
    account.graph_large = "refuse";
    account.timeout_s = 5;
  }

  const base::Fate& against(HttpsServer& server) {
    account.graph_endpoint = server.url() + "/v1.0";
    account.ca_file = server.ca_file();
    return run();
  }

  const base::Fate& run() {
    transport::Delivery delivery;
    delivery.account = &account;
    delivery.message = &message;
    delivery.token = [this](bool fresh) -> base::Result<base::Secret> {
      asked.push_back(fresh);
      return base::Secret(fresh ? "tok-canary-fresh" : "tok-canary-usable");
    };
    delivery.ask = [this](const net::Record& request, base::Deadline) -> base::Result<net::Record> {
      ++requests;
      net::Record copy(request.verb());
      for (const auto& [name, value] : request.fields()) copy.put(name, value.reveal());
      if (whole_s > 0) copy.put("whole_s", std::to_string(whole_s));
      copy.attached.reset(dup(request.attached.get()));
      return transport::serve_graph_request(std::move(copy), client);
    };
    delivery.trace = [this](std::string_view line) { trace += std::string(line) + "\n"; };
    delivery.token_claiming = [this](const std::string& claims) -> base::Result<base::Secret> {
      claimed.push_back(claims);
      return base::Secret("tok-canary-claiming");
    };
    delivery.pace = pace.get();
    delivery.trail = &trail;
    delivery.before_end = before_end;
    fates = transport::deliver_by_graph(delivery);
    REQUIRE(fates.size() == message.envelope.recipients.size());
    CHECK(trace.find("canary") == std::string::npos);
    return fates.front();
  }

  account::Account account{};
  mail::Prepared message = script::a_message({"you@else.example"});
  net::CurlClient client{};
  std::int64_t whole_s = 0;
  std::vector<bool> asked{};
  int requests = 0;
  std::vector<std::string> claimed{};
  std::unique_ptr<transport::MailboxPace> pace{};
  transport::Trail trail{};
  std::function<base::Done(std::size_t, std::size_t)> before_end{};
  std::string trace{};
  std::vector<base::Fate> fates{};
};

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

}  // namespace

TEST_CASE("graph: the message goes as base64 to sendMail, and 202 is delivered", "[transport]") {
  std::string seen;
  HttpsServer server([&seen](const std::string& request, SSL* tls) {
    seen = request;
    say(tls, answer("202 Accepted"));
  });
  Trial trial;
  trial.message = script::a_message({"a@x.example", "b@x.example"}, "\xC3\xA9\r\n.\r\n");
  CHECK(trial.against(server).state == State::delivered);
  CHECK(trial.fates[1].state == State::delivered);
  CHECK(trial.fates[1].recipient == "b@x.example");
  CHECK(trial.fates[1].said == "202 11-22");
  CHECK(seen.rfind("POST /token/v1.0/me/sendMail HTTP/1.1\r\n", 0) == 0);
  CHECK(seen.find("Content-Type: text/plain\r\n") != std::string::npos);
  CHECK(seen.find("Authorization: Bearer tok-canary-usable\r\n") != std::string::npos);
  CHECK(seen.find("client-request-id: ") != std::string::npos);
  CHECK(base::from_base64(body_of(seen)).value() ==
        "Subject: test\r\nBcc: a@x.example,\r\n b@x.example\r\nTo: undisclosed-recipients:;\r\n\r\n"
        "\xC3\xA9\r\n.\r\n");
}

TEST_CASE("G9: every byte of a body of any length arrives", "[transport]") {
  std::string seen;
  HttpsServer server([&seen](const std::string& request, SSL* tls) {
    seen = request;
    say(tls, answer("202 Accepted"));
  });
  for (const std::size_t size : {1UL, 2UL, 3UL, 24'574UL, 24'575UL, 24'576UL, 100'001UL}) {
    std::string body;
    for (std::size_t i = 0; i < size; ++i) body += static_cast<char>('!' + i * 7919 % 90);
    Trial trial;
    trial.message = script::a_message({"a@x.example"}, body);
    CHECK(trial.against(server).state == State::delivered);
    const std::string whole = base::from_base64(body_of(seen)).value();
    CHECK(whole.substr(whole.find("\r\n\r\n") + 4) == body);
  }
}

TEST_CASE("graph: an app sends as a user, whose name is encoded", "[transport]") {
  account::Account account;
  account.graph_endpoint = "https://graph.example/v1.0/";
  account.user = "no reply/#?@corp.example";
  CHECK(transport::graph_address(account) == "https://graph.example/v1.0/me/sendMail");
  for (const account::Grant grant :
       {account::Grant::app, account::Grant::federated, account::Grant::managed_identity}) {
    account.grant = grant;
    CHECK(transport::graph_address(account) ==
          "https://graph.example/v1.0/users/no%20reply%2F%23%3F@corp.example/sendMail");
  }
}

TEST_CASE("G1, G2, G4, G5: what each answer means", "[transport]") {
  struct Row {
    std::string status;
    std::string code;
    State state;
    Fault fault;
  };
  const std::vector<Row> rows = {
      {"200 OK", "", State::unknown, Fault::outcome_unknown},
      {"201 Created", "", State::unknown, Fault::outcome_unknown},
      {"204 No Content", "", State::unknown, Fault::outcome_unknown},
      {"206 Partial", "", State::unknown, Fault::outcome_unknown},
      {"301 Moved", "", State::held, Fault::config},
      {"302 Found", "", State::held, Fault::config},
      {"307 Temporary Redirect", "", State::held, Fault::config},
      {"400 Bad Request", "ErrorMimeContentInvalidBase64String", State::refused, Fault::bug},
      {"400 Bad Request", "ErrorInvalidRecipients", State::refused, Fault::bad_recipient},
      {"400 Bad Request", "ErrorMessageSizeExceeded", State::refused, Fault::bad_message},
      {"403 Forbidden", "ErrorSendAsDenied", State::held, Fault::not_permitted},
      {"403 Forbidden", "ErrorAccessDenied", State::held, Fault::sign_in_needed},
      {"404 Not Found", "ErrorInvalidUser", State::held, Fault::config},
      {"413 Too Large", "", State::refused, Fault::bad_message},
      {"429 Too Many Requests", "ApplicationThrottled", State::deferred, Fault::unavailable},
      {"500 Error", "ErrorInternalServerTransientError", State::unknown, Fault::outcome_unknown},
      {"502 Bad Gateway", "", State::unknown, Fault::outcome_unknown},
      {"503 Unavailable", "ApplicationThrottled", State::deferred, Fault::unavailable},
      {"503 Unavailable", "", State::unknown, Fault::outcome_unknown},
      {"504 Timeout", "", State::unknown, Fault::outcome_unknown},
      {"507 Full", "ErrorQuotaExceeded", State::held, Fault::sign_in_needed},
  };
  std::string said;
  HttpsServer server([&said](const std::string&, SSL* tls) { say(tls, said); });
  for (const Row& row : rows) {
    INFO(row.status << " " << row.code);
    said = answer(row.status, "Location: https://else.example/\r\nRetry-After: 40\r\n",
                  row.code.empty() ? "" : fault(row.code));
    Trial trial;
    const base::Fate& fate = trial.against(server);
    CHECK(fate.state == row.state);
    CHECK(fate.error.fault == row.fault);
    CHECK(fate.error.account == "work");
    CHECK(trial.requests == 1);
    if (row.state == State::deferred) CHECK(fate.error.retry_after_s == 40);
  }
}

TEST_CASE("G1: Retry-After as a date, and clamped", "[transport]") {
  HttpsServer server([](const std::string&, SSL* tls) {
    say(tls, answer("429 Too Many Requests", "Retry-After: Mon, 06 Nov 2034 08:49:37 GMT\r\n"));
  });
  Trial trial;
  CHECK(trial.against(server).error.retry_after_s == 3600);
}

TEST_CASE("G4: 202 is done, whatever comes with it", "[transport]") {
  std::string said;
  HttpsServer server([&said](const std::string&, SSL* tls) { say(tls, said); });
  for (const std::string& one :
       {answer("202 Accepted", "Retry-After: 40\r\n"), answer("202 Accepted", "", fault("X")),
        "HTTP/1.1 100 Continue\r\n\r\n" + answer("202 Accepted"),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + answer("202 Accepted"),
        std::string("HTTP/1.1 202 Accepted\r\nContent-Length: 50\r\n\r\ncut"),
        "HTTP/1.1 202 Accepted\r\nContent-Length: 2000000\r\n\r\n" + std::string(1'500'000, 'x')}) {
    INFO(one.substr(0, 200));
    said = one;
    Trial trial;
    CHECK(trial.against(server).state == State::delivered);
    CHECK(trial.requests == 1);
  }
}

TEST_CASE("G5: a refused token is replaced once", "[transport]") {
  std::vector<std::string> seen;
  std::vector<std::string> answers = {
      answer("401 Unauthorized", "", fault("InvalidAuthenticationToken")), answer("202 Accepted")};
  HttpsServer server([&](const std::string& request, SSL* tls) {
    seen.push_back(request);
    say(tls, answers[std::min(seen.size() - 1, answers.size() - 1)]);
  });
  Trial trial;
  CHECK(trial.against(server).state == State::delivered);
  CHECK(trial.asked == std::vector<bool>{false, true});
  CHECK(seen[1].find("Bearer tok-canary-fresh\r\n") != std::string::npos);
  CHECK(body_of(seen[0]) == body_of(seen[1]));
  seen.clear();
  answers.pop_back();
  Trial hopeless;
  const base::Fate& fate = hopeless.against(server);
  CHECK(fate.state == State::held);
  CHECK(fate.error.fault == Fault::sign_in_needed);
  CHECK(hopeless.requests == 2);
}

TEST_CASE("G2, G6: no answer after the whole request is unknown, and not sent again",
          "[transport]") {
  const std::vector<std::pair<std::string, HttpsServer::Script>> rows = {
      {"closes", [](const std::string&, SSL*) {}},
      {"half a status line", [](const std::string&, SSL* tls) { say(tls, "HTTP/1.1 20"); }},
      {"no HTTP", [](const std::string&, SSL* tls) { say(tls, "220 smtp.example\r\n"); }},
      {"silent", [](const std::string&, SSL*) { usleep(1'500'000); }},
      {"only 100", [](const std::string&, SSL* tls) { say(tls, "HTTP/1.1 100 Continue\r\n\r\n"); }},
  };
  for (const auto& [name, script] : rows) {
    INFO(name);
    HttpsServer server(script);
    Trial trial;
    trial.whole_s = 1;
    const base::Fate& fate = trial.against(server);
    CHECK(fate.state == State::unknown);
    CHECK(fate.error.fault == Fault::outcome_unknown);
    CHECK(server.connections == 1);
  }
}

TEST_CASE("G3: broken before the request was whole is not sent", "[transport]") {
  HttpsServer server([](const std::string&, SSL*) {});
  server.reset_after = 10'000;
  Trial trial;
  trial.message = script::a_message({"a@x.example"}, std::string(2'900'000, 'x'));
  const base::Fate& fate = trial.against(server);
  CHECK(fate.state == State::deferred);
  CHECK(fate.error.fault == Fault::unavailable);
  CHECK(server.connections == 1);
  Trial nobody;
  nobody.account.graph_endpoint = "https://127.0.0.1:1/v1.0";
  CHECK(nobody.run().state == State::deferred);
}

TEST_CASE("G7: over the limit of one call, graph_large decides before anything is sent",
          "[transport]") {
  Trial trial;
  trial.account.graph_endpoint = "https://127.0.0.1:1/v1.0";
  trial.message = script::a_message({"a@x.example"}, std::string(3'000'000, 'x'));
  const auto refused = [&trial](const std::string& setting) {
    trial.account.graph_large = setting;
    const base::Fate& fate = trial.run();
    CHECK(fate.state == State::refused);
    CHECK(fate.error.fault == Fault::bad_message);
    CHECK(trial.requests == 0);
    return fate.error.cure;
  };
  CHECK(refused("refuse") == "set graph_large = smtp or upload, or send less, or a link");
  trial.account.max_size_bytes = 3'000'000;
  CHECK(refused("upload") == "send less, or a link");
  CHECK(trial.fates[0].detour == base::Fate::Detour::none);
  CHECK(refused("smtp") == "name a fallback, or smtp_host and smtp_scope");
  CHECK(trial.fates[0].detour == base::Fate::Detour::fallback_or_smtp);
  CHECK(trial.message.message.header.find("Bcc") == nullptr);
  CHECK(trial.asked.empty());
}

TEST_CASE("G8: a huge, deep or broken error is bounded, and its status decides", "[transport]") {
  CHECK(transport::read_graph_fault("").code.empty());
  CHECK(transport::read_graph_fault("<html>").code.empty());
  CHECK(transport::read_graph_fault("{\"error\":[]}").code.empty());
  CHECK(transport::read_graph_fault("{\"error\":{\"code\":5}}").code.empty());
  CHECK(transport::read_graph_fault(std::string(60'000, '[')).code.empty());
  CHECK(transport::read_graph_fault("{\"error\":{\"code\":\"" + std::string(70'000, 'x') + "\"}}")
            .code.empty());
  std::string nested = "{\"code\":\"last\"}";
  for (int i = 0; i < 12; ++i) nested = "{\"code\":\"in\",\"innerError\":" + nested + "}";
  CHECK(transport::read_graph_fault("{\"error\":" + nested + "}").inner_codes.size() == 8);
  std::string said;
  HttpsServer server([&said](const std::string&, SSL* tls) {
    const std::string whole = said;  // the client leaves before it has heard all of it
    say(tls, whole);
  });
  for (const std::string& body :
       {std::string(2'000'000, '['), std::string("{\"error\":"), std::string("\0\xFF", 2)}) {
    said = answer("400 Bad Request", "", body);
    Trial trial;
    CHECK(trial.against(server).state == State::refused);
  }
}

TEST_CASE("graph: an answer that quotes the token is not shown", "[transport]") {
  HttpsServer server([](const std::string&, SSL* tls) {
    say(tls, answer("400 Bad Request", "", fault("Odd", "you sent tok-canary-usable, no?")));
  });
  Trial trial;
  const base::Fate& fate = trial.against(server);
  CHECK(fate.error.said.find("canary") == std::string::npos);
  CHECK(fate.error.said.find("[...]") != std::string::npos);
}

TEST_CASE("graph: a stray, too many recipients or no token: nobody is called", "[transport]") {
  Trial stray;
  stray.message.message.header.append("To", "list@example.net");
  CHECK(stray.run().error.fault == Fault::not_permitted);
  CHECK(stray.fates[0].state == State::refused);
  CHECK(stray.fates[0].detour == base::Fate::Detour::fallback);
  Trial many;
  many.account.max_recipients = 1;
  many.message = script::a_message({"a@x.example", "b@x.example"});
  CHECK(many.run().error.fault == Fault::bad_message);
  CHECK(many.fates[0].detour == base::Fate::Detour::none);
  CHECK(stray.requests + many.requests == 0);
}

TEST_CASE("G5: a claims challenge gets a token that claims it, once", "[transport]") {
  const std::string claims = "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"17\"}}}";
  std::vector<std::string> seen;
  bool stubborn = false;
  HttpsServer server([&](const std::string& request, SSL* tls) {
    seen.push_back(request);
    const bool fresh = request.find("canary-claiming") != std::string::npos;
    say(tls,
        fresh && !stubborn
            ? answer("202 Accepted")
            : answer(
                  "401 Unauthorized",
                  "WWW-Authenticate: Bearer realm=\"\", error=\"insufficient_claims\", claims=\"" +
                      base::base64(claims) + "\"\r\n"));
  });
  Trial trial;
  CHECK(trial.against(server).state == State::delivered);
  CHECK(trial.claimed == std::vector<std::string>{claims});
  CHECK(trial.asked == std::vector<bool>{false});
  CHECK(seen.size() == 2);
  stubborn = true;
  Trial again;
  CHECK(again.against(server).state == State::held);
  CHECK(again.fates[0].error.fault == Fault::sign_in_needed);
  CHECK(seen.size() == 4);
}

TEST_CASE("graph: our name and Graph's name for the request are told", "[transport]") {
  HttpsServer server([](const std::string&, SSL* tls) { say(tls, answer("202 Accepted")); });
  Trial trial;
  trial.against(server);
  CHECK(trial.trail.client_request_id.size() == 36);
  CHECK(trial.trail.request_id == "11-22");
}

TEST_CASE("challenge: base64 of one JSON object, in either alphabet, and nothing else",
          "[transport]") {
  const auto field = [](const std::string& value) {
    return "Bearer realm=\"x, claims=\\\"no\\\"\", Claims=\"" + value + "\", error=\"y\"";
  };
  const std::string json = "{\"a\":\"\xC3\xBF\xC3\xBE?>\"}";
  std::string url = base::base64(json);
  std::replace(url.begin(), url.end(), '+', '-');
  std::replace(url.begin(), url.end(), '/', '_');
  while (!url.empty() && url.back() == '=') url.pop_back();
  CHECK(transport::claims_of(field(base::base64(json))) == json);
  CHECK(transport::claims_of(field(url)) == json);
  CHECK(transport::claims_of(field(base::base64("no object"))).empty());
  CHECK(transport::claims_of(field(base::base64("{\"a\n\":1}"))).empty());
  CHECK(transport::claims_of(field("!!!!")).empty());
  CHECK(transport::claims_of(field("")).empty());
  CHECK(transport::claims_of("").empty());
  CHECK(transport::claims_of("Bearer claims=").empty());
  CHECK(transport::claims_of("Bearer claims=\"eyJ9").empty());
  CHECK(transport::claims_of("Bearer xclaims=\"" + base::base64(json) + "\"").empty());
  CHECK(transport::claims_of(field(base::base64("{" + std::string(5000, ' ') + "}"))).empty());
}

TEST_CASE("graph: who keeps a queue is told before the message leaves, and may stop it",
          "[transport]") {
  Trial trial;
  trial.message = script::a_message({"a@x.example", "b@x.example"});
  std::size_t told = 0;
  trial.before_end = [&told](std::size_t first, std::size_t count) -> base::Done {
    CHECK(first == 0);
    told = count;
    return base::failure(base::Fault::io, "cannot write it down");
  };
  CHECK(trial.run().state == State::deferred);
  CHECK(trial.fates[0].error.fault == Fault::io);
  CHECK(told == 2);
  CHECK(trial.requests == 0);
}
