#include <algorithm>

#include "base/replies.h"
#include "base/replies_row.h"
#include "base/text.h"

namespace base {

namespace {

constexpr std::size_t said_limit = 300;
constexpr std::size_t sentence_limit = 400;
// An error word that no row knows: the cause stays before column 80.
constexpr std::size_t odd_word_limit = 24;

unsigned place_of(const TokenAnswerFacts& facts) {
  if (facts.grant == "managed-identity") return at_machine;
  return facts.grant == "service-account" ? at_service : at_token;
}

// A row of words. Rows of the identity endpoint go by the status alone.
bool fits(const ReplyRow& row, const TokenAnswerFacts& facts, std::string_view text) {
  if ((row.places & place_of(facts)) == 0 || !code_fits(row.code, facts.http_status)) return false;
  return word_fits(row.word, facts.error) && text.find(row.text) != std::string_view::npos;
}

const ReplyRow* first_fitting(std::span<const ReplyRow> rows, const TokenAnswerFacts& facts) {
  const std::string text = lower(facts.description);
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const ReplyRow& row) { return fits(row, facts, text); });
  return found == rows.end() ? nullptr : &*found;
}

struct Numbered {
  const ReplyRow* row = nullptr;
  std::string word{};
};

// The first number that the table knows: Microsoft puts the most exact one first.
Numbered row_of_number(const std::vector<long>& codes) {
  for (const long code : codes) {
    const std::string word = "AADSTS" + std::to_string(code);
    for (const ReplyRow& row : token_number_rows()) {
      if (word_fits(row.word, word)) return {&row, word};
    }
  }
  return {};
}

const ReplyRow& row_of_others(const TokenAnswerFacts& facts) {
  const std::span<const ReplyRow> rows = token_other_rows();
  if (!facts.error.empty()) return rows.back();
  const auto found = std::find_if(rows.begin(), rows.end() - 1, [&facts](const ReplyRow& row) {
    return (row.places & place_of(facts)) != 0 && code_fits(row.code, facts.http_status);
  });
  return *found;
}

std::string sign_in_of(const TokenAnswerFacts& facts) {
  const std::string account(facts.account);
  std::string person = "run: mailbearer login " + account;
  std::string app = "run: mailbearer secret set " + account + " client-secret";
  if (facts.grant == "app") return app;
  if (facts.grant == "user") return person;
  if (facts.grant.empty()) return person + " (grant = app: " + app.substr(5) + ")";
  return "run: mailbearer doctor " + account;
}

}  // namespace

Judged look_up_token_answer(const TokenAnswerFacts& facts) {
  const ReplyRow* by_status = first_fitting(token_status_rows(), facts);
  const ReplyRow* by_error = first_fitting(token_error_rows(), facts);
  const Numbered by_number = row_of_number(facts.codes);
  const ReplyRow* steers = by_status != nullptr  ? by_status
                           : by_error != nullptr ? by_error
                                                 : by_number.row;
  if (steers == nullptr) steers = &row_of_others(facts);
  // A busy service with a hold word in its answer: the status decides, so its words do, too.
  const auto may_speak = [by_status](const ReplyRow* row) {
    return row != nullptr && !(by_status != nullptr && row->kind == FaultClass::hold);
  };
  const bool number_speaks = may_speak(by_number.row);
  const ReplyRow* speaks = number_speaks ? by_number.row : may_speak(by_error) ? by_error : steers;
  const std::vector<FillIn> values = {
      {"account", std::string(facts.account)},
      {"status", std::to_string(facts.http_status)},
      {"code", number_speaks         ? by_number.word
               : by_error != nullptr ? std::string(facts.error)
                                     : clean(facts.error, odd_word_limit)},
      {"sign_in", sign_in_of(facts), sentence_limit}};
  Error error = error_of(*speaks, steers->kind, values, facts.retry_after_s);
  error.fault = steers->fault;
  error.account = std::string(facts.account);
  // The table has no words for the number: then the server's own are worth showing.
  if (!number_speaks) error.said = clean(facts.description, said_limit);
  return {std::move(error), speaks};
}

Error judge_token_answer(const TokenAnswerFacts& facts) {
  return look_up_token_answer(facts).error;
}

}  // namespace base
