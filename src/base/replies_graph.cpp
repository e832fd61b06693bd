#include <algorithm>

#include "base/replies.h"
#include "base/replies_row.h"
#include "base/text.h"

namespace base {

namespace {

constexpr std::size_t said_limit = 400;
constexpr std::size_t code_limit = 64;
constexpr std::size_t authenticate_limit = 4096;
constexpr std::size_t inner_limit = 8;

bool fits(const ReplyRow& row, int status, std::string_view code, std::string_view text) {
  if (!code_fits(row.code, status)) return false;
  if (*row.word != '\0' && !same_ignoring_case(row.word, code)) return false;
  return text.find(row.text) != std::string_view::npos;
}

struct Found {
  const ReplyRow* row = nullptr;
  std::string_view code{};
};

// The outermost code that the table knows; the inner ones are more exact, but say less of what
// becomes of the request. None known: the status.
Found found_row(const GraphAnswerFacts& facts, std::string_view text) {
  std::vector<std::string_view> codes = {facts.code};
  const std::size_t inner = std::min(facts.inner_codes.size(), inner_limit);
  codes.insert(codes.end(), facts.inner_codes.begin(),
               facts.inner_codes.begin() + static_cast<std::ptrdiff_t>(inner));
  for (const std::string_view code : codes) {
    for (const ReplyRow& row : graph_reply_rows()) {
      const bool knows_words = *row.word != '\0' || *row.text != '\0';
      if (knows_words && fits(row, facts.http_status, code, text)) return {&row, code};
    }
  }
  for (const ReplyRow& row : graph_reply_rows()) {
    if (fits(row, facts.http_status, "", text)) return {&row, facts.code};
  }
  return {};
}

std::string words_of(const GraphAnswerFacts& facts) {
  std::string out = std::to_string(facts.http_status);
  if (!facts.code.empty()) out += " " + std::string(facts.code);
  if (!facts.message.empty()) out += " " + std::string(facts.message);
  return clean(out, said_limit);
}

}  // namespace

Judged look_up_graph_answer(const GraphAnswerFacts& facts) {
  const std::string text =
      lower(facts.message) + " " + lower(facts.authenticate.substr(0, authenticate_limit));
  const Found found = found_row(facts, text);
  const auto or_else = [](std::string_view value, const char* instead) {
    return value.empty() ? std::string(instead) : std::string(value);
  };
  const std::vector<FillIn> values = {{"account", std::string(facts.account)},
                                      {"user", or_else(facts.user, "this account")},
                                      {"sender", or_else(facts.sender, "this sender")},
                                      {"code", clean(found.code, code_limit)},
                                      {"status", std::to_string(facts.http_status)}};
  Error error = error_of(*found.row, found.row->kind, values, facts.retry_after_s);
  error.account = std::string(facts.account);
  error.said = words_of(facts);
  return {std::move(error), found.row};
}

Error judge_graph_answer(const GraphAnswerFacts& facts) {
  return look_up_graph_answer(facts).error;
}

}  // namespace base
