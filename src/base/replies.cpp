#include "base/replies.h"

#include <algorithm>
#include <array>

#include "base/replies_row.h"
#include "base/text.h"

namespace base {

namespace {

struct PlaceName {
  unsigned place;
  const char* words;
};
constexpr std::array places = {
    PlaceName{at_banner, "as the greeting"},
    PlaceName{at_ehlo, "after EHLO"},
    PlaceName{at_starttls, "after STARTTLS"},
    PlaceName{at_auth, "after AUTH"},
    PlaceName{at_password, "after AUTH with a password"},
    PlaceName{at_mail, "after MAIL FROM"},
    PlaceName{at_rcpt, "after RCPT TO"},
    PlaceName{at_data, "after DATA"},
    PlaceName{at_end, "after the message"},
    PlaceName{at_token, "from a token endpoint"},
    PlaceName{at_machine, "from the identity endpoint of the machine"},
    PlaceName{at_service, "from a token endpoint, for a service account"},
    PlaceName{at_graph, "from Microsoft Graph"},
};

std::string places_in_words(unsigned bits) {
  constexpr unsigned token = at_token | at_machine | at_service;
  if ((bits & at_smtp) == at_smtp) return "in SMTP";
  if ((bits & token) == token) return "from a token endpoint";
  std::string out;
  for (const PlaceName& place : places) {
    if ((bits & place.place) == 0) continue;
    out += (out.empty() ? "" : ", ") + std::string(place.words);
  }
  return out;
}

std::string code_in_words(int code) {
  if (code >= 100) return std::to_string(code);
  if (code > 0) return std::to_string(code) + "xx";
  return {};
}

// Where the last number begins in "4.7.500-699", and where its range has the dash; npos: no range.
std::size_t dash_of(std::string_view pattern) {
  const std::size_t dash = pattern.find('-');
  const bool range = dash != std::string_view::npos && dash > 0 && is_digit(pattern[dash - 1]) &&
                     dash + 1 < pattern.size() && is_digit(pattern[dash + 1]);
  return range ? dash : std::string_view::npos;
}

bool range_fits(std::string_view pattern, std::size_t dash, std::string_view word) {
  std::size_t begin = dash;
  while (begin > 0 && is_digit(pattern[begin - 1])) --begin;
  if (word.substr(0, begin) != pattern.substr(0, begin)) return false;
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::int64_t number = 0;
  return parse_number(pattern.substr(begin, dash - begin), 0, INT32_MAX, low) &&
         parse_number(pattern.substr(dash + 1), 0, INT32_MAX, high) &&
         parse_number(word.substr(begin), low, high, number);
}

}  // namespace

bool is_exact(const ReplyRow& row) {
  return row.code >= 100 || *row.word != '\0' || *row.text != '\0';
}

std::string matcher_in_words(const ReplyRow& row) {
  std::string out = code_in_words(row.code);
  if (*row.word != '\0') out += (out.empty() ? "" : " ") + std::string(row.word);
  if (*row.text != '\0') {
    out += (out.empty() ? "" : " ") + std::string("with `") + row.text + "`";
  }
  if (out.empty()) out = "any other";
  return out + ", " + places_in_words(row.places);
}

std::vector<const ReplyRow*> all_reply_rows() {
  std::vector<const ReplyRow*> out;
  for (const std::span<const ReplyRow> part :
       {smtp_reply_rows(), token_status_rows(), token_error_rows(), token_number_rows(),
        token_other_rows(), graph_reply_rows()}) {
    for (const ReplyRow& row : part) out.push_back(&row);
  }
  return out;
}

bool code_fits(int pattern, int code) {
  if (pattern == 0) return true;
  return pattern >= 100 ? pattern == code : pattern == code / 100;
}

bool word_fits(std::string_view pattern, std::string_view word) {
  if (pattern.empty()) return true;
  const std::size_t dash = dash_of(pattern);
  return dash == std::string_view::npos ? pattern == word : range_fits(pattern, dash, word);
}

std::string fill_in(std::string_view pattern, const std::vector<FillIn>& values) {
  std::string out;
  while (!pattern.empty()) {
    const std::size_t open = pattern.find('{');
    const std::size_t close = pattern.find('}', open);
    out += pattern.substr(0, open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    const std::string_view name = pattern.substr(open + 1, close - open - 1);
    const auto found = std::find_if(values.begin(), values.end(),
                                    [name](const FillIn& one) { return one.name == name; });
    if (found != values.end()) out += clean(found->value, found->limit);
    pattern.remove_prefix(close + 1);
  }
  return std::string(trim(out));
}

Error error_of(const ReplyRow& row, FaultClass kind, const std::vector<FillIn>& values,
               std::int64_t retry_after_s) {
  Error error = failure(row.fault, fill_in(row.cause, values), fill_in(row.cure, values));
  error.kind = kind;
  error.retry_after_s = retry_after_s > 0 ? retry_after_s : row.wait_s;
  if (retry_after_s > 0 && error.cure == cure_again) {
    error.cure += " after " + std::to_string(retry_after_s) + " s";
  }
  return error;
}

}  // namespace base
