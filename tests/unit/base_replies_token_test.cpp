#include "base/replies.h"
#include "catch.h"

using base::Fault;
using base::FaultClass;
using base::judge_token_answer;
using base::TokenAnswerFacts;

namespace {

TokenAnswerFacts facts_of(int status, std::string_view error, std::vector<long> codes = {}) {
  TokenAnswerFacts facts;
  facts.http_status = status;
  facts.error = error;
  facts.codes = std::move(codes);
  facts.account = "work";
  facts.grant = "user";
  return facts;
}

// Every number of facts/providers.md 1.9.
const std::vector<long> all_codes = {
    16000,   50058,   50132,  50133,  50001,   500011,  50011,   90038,   50012,   50013,   700024,
    700027,  700030,  50020,  500208, 9002332, 50194,   50034,   50053,   50055,   50144,   50056,
    50126,   50057,   50059,  50128,  90002,   90019,   50072,   50074,   50076,   50079,   50078,
    50089,   50097,   50129,  50131,  53000,   53001,   53002,   53003,   530032,  530035,  530003,
    50105,   50158,   50173,  50196,  53011,   54005,   65001,   65004,   65005,   650052,  650056,
    650057,  70000,   70002,  70003,  70008,   700082,  700084,  70043,   700016,  70001,   70011,
    28000,   700022,  70012,  70016,  70018,   70019,   70020,   7000112, 7000114, 7000116, 7000215,
    7000218, 7000222, 700025, 700211, 700212,  700213,  7002138, 700229,  70021,   80001,   80007,
    80014,   90006,   90012,  90024,  90033,   90055,   90090,   90091,   50033,   50087,   50088,
    501621,  90009,   90014,  900144, 90023,   9002313, 901002,  90072,   90130,   90094,   90095,
    9001023, 7000274};

}  // namespace

TEST_CASE("token answers: the texts of the contract", "[base]") {
  const base::Error expired = judge_token_answer(facts_of(400, "invalid_grant", {700082}));
  CHECK(expired.cause == "sign-in expired (AADSTS700082, unused for 90 days)");
  CHECK(expired.cure == "run: mailbearer login work");
  CHECK(expired.fault == Fault::sign_in_needed);
  CHECK(expired.kind == FaultClass::hold);
  CHECK(expired.said.empty());
  TokenAnswerFacts facts = facts_of(401, "invalid_client", {7000222});
  facts.account = "site";
  facts.grant = "app";
  const base::Error secret = judge_token_answer(facts);
  CHECK(secret.cause == "client secret expired (AADSTS7000222)");
  CHECK(secret.cure == "run: mailbearer secret set site client-secret");
  CHECK(secret.account == "site");
}

TEST_CASE("token answers: every known number has words, a cure, and fits before column 80",
          "[base]") {
  for (const long code : all_codes) {
    INFO(code);
    const base::Error error = judge_token_answer(facts_of(400, "invalid_grant", {code}));
    CHECK(error.cause.find("AADSTS" + std::to_string(code)) != std::string::npos);
    CHECK_FALSE(error.cure.empty());
    CHECK(error.cure.find('{') == std::string::npos);
    CHECK(std::string("sendmail: not sent (work): ").size() + error.cause.size() < 80);
    // facts 1.8: the class follows the word, whatever the number.
    CHECK(error.kind == FaultClass::hold);
    CHECK(judge_token_answer(facts_of(400, "temporarily_unavailable", {code})).kind ==
          FaultClass::temporary);
  }
}

TEST_CASE("token answers: the number decides the class where the word is unknown", "[base]") {
  CHECK(judge_token_answer(facts_of(400, "", {90033})).fault == Fault::unavailable);
  CHECK(judge_token_answer(facts_of(400, "", {50196})).fault == Fault::unavailable);
  CHECK(judge_token_answer(facts_of(400, "odd", {700082})).fault == Fault::sign_in_needed);
}

TEST_CASE("token answers: words of RFC 6749 and Microsoft (T1, T2)", "[base]") {
  for (const char* word :
       {"invalid_grant", "interaction_required", "login_required", "consent_required",
        "invalid_client", "unauthorized_client", "invalid_scope", "invalid_resource",
        "invalid_request", "unsupported_grant_type", "access_denied", "authorization_declined"}) {
    INFO(word);
    const base::Error error = judge_token_answer(facts_of(400, word));
    CHECK(error.fault == Fault::sign_in_needed);
    CHECK(error.kind == FaultClass::hold);
    CHECK(error.cause.find(word) != std::string::npos);
  }
  for (const char* word : {"temporarily_unavailable", "server_error"}) {
    CHECK(judge_token_answer(facts_of(400, word)).fault == Fault::unavailable);
  }
}

TEST_CASE("token answers: the cure of a dead grant depends on who signs in", "[base]") {
  TokenAnswerFacts facts = facts_of(400, "invalid_grant");
  CHECK(judge_token_answer(facts).cure == "run: mailbearer login work");
  facts.grant = "app";
  CHECK(judge_token_answer(facts).cure == "run: mailbearer secret set work client-secret");
}

TEST_CASE("token answers: 429, 5xx and 4xx without a word are temporary (T3)", "[base]") {
  for (const int status : {429, 500, 502, 503, 504, 400, 403, 404, 301}) {
    INFO(status);
    TokenAnswerFacts facts = facts_of(status, "");
    facts.retry_after_s = 7;
    const base::Error error = judge_token_answer(facts);
    CHECK(error.fault == Fault::unavailable);
    CHECK(error.kind == FaultClass::temporary);
    CHECK(error.retry_after_s == 7);
    CHECK(error.cause.find(std::to_string(status)) != std::string::npos);
  }
  const base::Error busy = judge_token_answer(facts_of(503, "invalid_grant", {700082}));
  CHECK(busy.fault == Fault::unavailable);
  CHECK(busy.cause == "token endpoint answered 503");
}

TEST_CASE("token answers: what the server says is cleaned and shown where the table is silent",
          "[base]") {
  TokenAnswerFacts facts = facts_of(400, "invalid_grant");
  facts.description = "Token has been\r\n\x1b[31m revoked.";
  CHECK(judge_token_answer(facts).said == "Token has been\\x0d\\x0a\\x1b[31m revoked.");
  facts.error = "odd\nword that is much too long to be shown in a line";
  const base::Error odd = judge_token_answer(facts);
  CHECK(odd.cause.find('\n') == std::string::npos);
  CHECK(odd.cause.size() < 53);
}

TEST_CASE("token answers: the identity endpoint of a machine goes by its status (facts 1.6)",
          "[base]") {
  for (const int status : {404, 410, 429, 500, 503}) {
    INFO(status);
    TokenAnswerFacts facts = facts_of(status, "");
    facts.grant = "managed-identity";
    CHECK(judge_token_answer(facts).kind == FaultClass::temporary);
  }
  for (const int status : {400, 401, 403, 405, 301}) {
    INFO(status);
    TokenAnswerFacts facts = facts_of(status, "");
    facts.grant = "managed-identity";
    CHECK(judge_token_answer(facts).kind == FaultClass::hold);
    CHECK(judge_token_answer(facts).fault == Fault::sign_in_needed);
  }
  // Others who see a 404 have asked something that is no token endpoint.
  CHECK(judge_token_answer(facts_of(404, "")).cure == "check token_endpoint of work");
}
