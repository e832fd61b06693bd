#include "token/refusal.h"

#include "base/replies.h"
#include "base/text.h"
#include "token/grants.h"

namespace token {

namespace {

constexpr std::size_t code_limit = 16;

std::vector<long> numbers_in(std::string_view description) {
  constexpr std::string_view mark = "AADSTS";
  std::vector<long> codes;
  for (std::size_t at = 0; codes.size() < code_limit;) {
    at = description.find(mark, at);
    if (at == std::string_view::npos) return codes;
    at += mark.size();
    std::size_t end = at;
    while (end < description.size() && base::is_digit(description[end])) ++end;
    std::int64_t code = 0;
    if (base::parse_number(description.substr(at, end - at), 1, 99'999'999, code)) {
      codes.push_back(static_cast<long>(code));
    }
  }
  return codes;
}

}  // namespace

bool is_token(const net::Record& answer) {
  return answer.number("status", 0) == 200 && answer.get("unusable").empty() &&
         answer.get("error").empty() && !answer.get("access_token").empty();
}

std::vector<long> codes_of(const net::Record& answer) {
  std::vector<long> codes;
  for (const std::string& word : base::words(answer.get("error_codes"))) {
    std::int64_t code = 0;
    if (base::parse_number(word, 1, 99'999'999, code)) codes.push_back(static_cast<long>(code));
  }
  return codes;
}

base::Error refusal_of(const net::Record& answer, const account::Account& account) {
  base::TokenAnswerFacts facts;
  facts.http_status = static_cast<int>(answer.number("status", 0));
  facts.error = answer.get("error");
  facts.description = answer.get("error_description");
  facts.codes = codes_of(answer);
  facts.account = account.name;
  facts.grant = grant_row(account).word;
  facts.retry_after_s = answer.number("retry_after", 0);
  if (facts.http_status == 200 && facts.error.empty()) {
    base::Error error = base::failure(
        base::Fault::unavailable,
        "unusable answer of the token endpoint: " + base::clean(answer.get("unusable"), 80),
        "check token_endpoint of " + account.name);
    error.account = account.name;
    return error;
  }
  base::Error error = base::judge_token_answer(facts);
  if (error.account.empty()) error.account = account.name;
  return error;
}

base::Error refusal_of(const RedirectAnswer& answer, const account::Account& account) {
  base::TokenAnswerFacts facts;
  facts.http_status = 400;
  facts.error = answer.error;
  facts.description = answer.description;
  facts.codes = numbers_in(answer.description);
  facts.account = account.name;
  facts.grant = grant_row(account).word;
  return base::judge_token_answer(facts);
}

}  // namespace token
