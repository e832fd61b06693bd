#include "base/replies.h"
#include "base/text.h"
#include "catch.h"

using base::Fault;
using base::FaultClass;
using base::GraphAnswerFacts;
using base::judge_graph_answer;

namespace {

GraphAnswerFacts facts_of(int status, std::string_view code, std::string_view message = {}) {
  GraphAnswerFacts facts;
  facts.http_status = status;
  facts.code = code;
  facts.message = message;
  facts.account = "site";
  facts.user = "noreply@contoso.com";
  facts.sender = "x@contoso.com";
  return facts;
}

}  // namespace

TEST_CASE("graph answers: Send As says the same as over SMTP", "[base]") {
  const base::Error error = judge_graph_answer(facts_of(403, "ErrorSendAsDenied", "No right."));
  CHECK(error.cause == "noreply@contoso.com may not send as x@contoso.com");
  CHECK(error.cure == "grant Send As, or set rewrite_from = always");
  CHECK(error.fault == Fault::not_permitted);
  CHECK(error.kind == FaultClass::hold);
  CHECK(error.account == "site");
  CHECK(error.said == "403 ErrorSendAsDenied No right.");
}

TEST_CASE("graph answers: a known code wins over an unknown one above it, and over the status",
          "[base]") {
  GraphAnswerFacts facts = facts_of(403, "Forbidden");
  facts.inner_codes = {"Other", "ErrorQuotaExceeded"};
  CHECK(judge_graph_answer(facts).cause ==
        "mailbox of noreply@contoso.com is full "
        "(ErrorQuotaExceeded)");
  facts.code = "errorsendasdenied";
  CHECK(judge_graph_answer(facts).fault == Fault::not_permitted);
  facts.code = "Forbidden";
  facts.inner_codes.assign(1000, "Other");
  facts.inner_codes.push_back("ErrorQuotaExceeded");
  CHECK(judge_graph_answer(facts).fault == Fault::sign_in_needed);
  CHECK(judge_graph_answer(facts).cause == "app may not send for noreply@contoso.com (403)");
}

TEST_CASE("graph answers: every status has an answer, and Retry-After is told", "[base]") {
  for (int status = -1; status < 700; ++status) {
    INFO(status);
    GraphAnswerFacts facts = facts_of(status, "AnErrorOfItsOwn");
    facts.retry_after_s = 11;
    const base::Judged got = base::look_up_graph_answer(facts);
    REQUIRE(got.row != nullptr);
    CHECK(got.error.retry_after_s == 11);
    CHECK(!got.error.cure.empty());
    const FaultClass kind = got.error.kind;
    if (status == 429) CHECK(got.error.cure == "try again after 11 s");
    if (status == 429 || (status >= 500 && status != 507 && status < 600)) {
      CHECK(kind == FaultClass::temporary);
    }
    // Nothing but a broken message goes back to its sender.
    if (kind == FaultClass::permanent) CHECK((status >= 400 && status < 500));
  }
}

TEST_CASE("graph answers: hostile words are cleaned and cut (A7)", "[base]") {
  const std::string words = "\x1b[31m{user}\r\n\xff" + std::string(200'000, 'x');
  GraphAnswerFacts facts = facts_of(400, words, words);
  facts.authenticate = words;
  facts.user = "{sender}\n@evil";
  const base::Error error = judge_graph_answer(facts);
  CHECK(error.said.size() <= 403);
  CHECK(!base::has_control(error.said));
  CHECK(!base::has_control(error.cause));
  CHECK(error.cause.size() < 300);
  facts.code = "ErrorAccessDenied";
  CHECK(judge_graph_answer(facts).cause ==
        "app may not send for {sender}\\x0a@evil (ErrorAccessDenied)");
}
