#include "doctor/pasted_reply.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/replies.h"
#include "base/text.h"
#include "transport/smtp_reply.h"

namespace doctor {

namespace {

constexpr std::string_view number_prefix = "AADSTS";
constexpr std::size_t number_limit = 16;
constexpr std::size_t account_limit = 64;

bool is_word_octet(char c) {
  const char low = base::to_lower(c);
  return base::is_digit(c) || (low >= 'a' && low <= 'z') || c == '_';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), base::is_digit);
}

// Runs of letters, digits and underscores.
std::vector<std::string_view> identifiers(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && is_word_octet(text[i])) continue;
    if (i > begin) out.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  return out;
}

// --- SMTP.

struct SmtpFound {
  std::size_t at = 0;  // where the code stands
  int code = 0;
  bool with_status = false;
};

int code_at(std::string_view text, std::size_t at) {
  if (text.size() < at + 3 || text[at] < '2' || text[at] > '5') return 0;
  if (!all_digits(text.substr(at, 3))) return 0;
  if (at + 3 < text.size() && is_word_octet(text[at + 3])) return 0;
  return (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
}

// The enhanced status behind a code: "535 5.7.3", "550-5.1.1", "(535, b'5.7.3 ...".
std::string_view status_behind(std::string_view text, std::size_t code_end) {
  constexpr std::string_view between = " -,(b'\"";
  constexpr std::size_t most_between = 4;
  std::size_t at = code_end;
  while (at < text.size() && at < code_end + most_between &&
         between.find(text[at]) != std::string_view::npos) {
    ++at;
  }
  return transport::leading_status(text.substr(at, 32));
}

std::optional<SmtpFound> code_with_status(std::string_view text) {
  for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
    if (i > 0 && (is_word_octet(text[i - 1]) || text[i - 1] == '.')) continue;
    const int code = code_at(text, i);
    if (code == 0) continue;
    const std::string_view status = status_behind(text, i + 3);
    if (!status.empty() && status[0] - '0' == code / 100) return SmtpFound{i, code, true};
  }
  return std::nullopt;
}

// A code alone, where a reply would begin: at the start of a line, or behind ": " as other programs
// quote.
std::optional<SmtpFound> code_alone(std::string_view text) {
  bool may_begin = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (may_begin && code_at(text, i) != 0) return SmtpFound{i, code_at(text, i), false};
    const bool behind_colon = text[i] == ' ' && i > 0 && text[i - 1] == ':';
    const bool opens = std::string_view("\n<>\"'").find(text[i]) != std::string_view::npos;
    may_begin = behind_colon || opens || (may_begin && base::is_blank(text[i]));
  }
  return std::nullopt;
}

// The text of a reply that may have several lines; the enhanced status is told once.
void take_smtp_lines(std::string_view text, const SmtpFound& found, PastedReply& out) {
  out.code = found.code;
  const std::string code(text.substr(found.at, 3));
  for (std::string_view line : base::split(text.substr(found.at), '\n')) {
    // A trace marks each line.
    line.remove_prefix(std::min(line.find_first_not_of("<>- \t"), line.size()));
    line = base::trim(line);
    if (line.substr(0, 3) != code || code_at(line, 0) == 0) break;
    const std::string_view status = status_behind(line, 3);
    std::string_view words = line.substr(3);
    if (!status.empty() && status[0] == code[0]) {
      if (out.word.empty()) out.word = status;
      words = line.substr(static_cast<std::size_t>(status.data() - line.data()) + status.size());
    } else if (!words.empty()) {
      words.remove_prefix(1);
    }
    out.text += (out.text.empty() ? "" : " ") + std::string(base::trim(words));
  }
}

// --- Token endpoints and Graph.

// The words that the table knows and the pasted text holds.
struct KnownWords {
  std::string error{};
  std::string graph{};
  std::vector<long> numbers{};
};

void note(const base::ReplyRow& row, std::string_view word, KnownWords& found) {
  const std::string_view known = row.word;
  const bool of_graph = (row.places & base::at_graph) != 0;
  const bool of_token = (row.places & base::at_token) != 0;
  if (of_graph && found.graph.empty() && base::same_ignoring_case(known, word)) found.graph = known;
  if (of_token && found.error.empty() && known == word) found.error = known;
}

void note_number(std::string_view digits, KnownWords& found) {
  std::int64_t number = 0;
  if (found.numbers.size() < number_limit && base::parse_number(digits, 1, 99'999'999, number)) {
    const auto same = static_cast<long>(number);
    const bool known =
        std::find(found.numbers.begin(), found.numbers.end(), same) != found.numbers.end();
    if (!known) found.numbers.push_back(same);
  }
}

std::vector<const base::ReplyRow*> rows_with_words() {
  std::vector<const base::ReplyRow*> out;
  for (const base::ReplyRow* row : base::all_reply_rows()) {
    const std::string_view word = row->word;
    const bool over_http = (row->places & base::at_smtp) == 0;
    if (over_http && !word.empty() && !word.starts_with(number_prefix)) out.push_back(row);
  }
  return out;
}

KnownWords known_words(std::string_view text) {
  const std::vector<const base::ReplyRow*> rows = rows_with_words();
  KnownWords found;
  bool in_codes = false;  // behind "error_codes": bare numbers count
  for (const std::string_view word : identifiers(text)) {
    if (word.starts_with(number_prefix) && all_digits(word.substr(number_prefix.size()))) {
      note_number(word.substr(number_prefix.size()), found);
    } else if (all_digits(word)) {
      if (in_codes) note_number(word, found);
      continue;
    }
    in_codes = word == "error_codes";
    for (const base::ReplyRow* row : rows) note(*row, word, found);
  }
  return found;
}

// "429 ...", "HTTP/1.1 503 ...": the HTTP status, or 0.
int http_status_of(std::string_view text) {
  text = base::trim(text);
  if (base::starts_with_ignoring_case(text, "HTTP")) {
    const std::size_t blank = text.find(' ');
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  }
  return code_at(text, 0);
}

// A word that no row knows, where the person said what it is: what `key` names in JSON, or the only
// word beside the status.
std::string unknown_word(std::string_view text, std::string_view key) {
  std::vector<std::string_view> words = identifiers(text);
  const auto named = std::find(words.begin(), words.end(), key);
  if (named != words.end() && named + 1 != words.end()) {
    return base::clean(*(named + 1), account_limit);
  }
  words.erase(std::remove_if(words.begin(), words.end(), all_digits), words.end());
  return words.size() == 1 ? base::clean(words[0], account_limit) : std::string();
}

// --- What it is.

// "sendmail: not sent (work): ..."
std::string account_of(std::string_view text) {
  constexpr std::string_view before = "not sent (";
  const std::size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = text.substr(begin + before.size(), account_limit + 1);
  const std::size_t end = rest.find(')');
  return end == std::string_view::npos ? std::string() : base::clean(rest.substr(0, end));
}

// What a line of ours quotes.
std::string_view server_words(std::string_view text) {
  constexpr std::string_view before = "[server: \"";
  const std::size_t begin = text.find(before);
  if (begin == std::string_view::npos) return text;
  const std::string_view rest = text.substr(begin + before.size());
  return rest.substr(0, rest.rfind("\"]"));
}

// Codes that HTTP has and SMTP has not.
bool only_in_http(int code) {
  constexpr std::array codes = {400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 429};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}
bool only_in_smtp(int code) {
  constexpr std::array both = {500, 502, 503, 504, 507, 509};
  return !only_in_http(code) && std::find(both.begin(), both.end(), code) == both.end();
}

PastedReply over_http(PastedReply out, KnownWords words, bool graph, std::string_view text) {
  out.kind = graph ? PastedReply::Kind::graph : PastedReply::Kind::token;
  out.code = http_status_of(text);
  out.word = graph ? std::move(words.graph) : std::move(words.error);
  out.numbers = std::move(words.numbers);
  out.text = text;
  return out;
}

// An enhanced status without its code, or words of a row alone: the code of the row that knows
// them.
std::optional<PastedReply> by_row(PastedReply out, std::string_view text) {
  const std::string_view status = transport::leading_status(text);
  const std::string low = base::lower(text);
  for (const base::ReplyRow* row : base::all_reply_rows()) {
    if ((row->places & base::at_smtp) == 0 || !base::is_exact(*row)) continue;
    const std::string_view words = row->text;
    const bool same_class =
        !status.empty() && (row->code >= 100 ? row->code / 100 : row->code) == status[0] - '0';
    const bool by_status =
        same_class && status == row->word && low.find(words) != std::string::npos;
    const bool by_words = status.empty() && !words.empty() && low.find(words) != std::string::npos;
    if (!by_status && !by_words) continue;
    out.code = row->code >= 100 ? row->code : row->code * 100 + 50;
    out.word = by_status || base::is_digit(*row->word) ? row->word : "";
    out.text = base::trim(text.substr(status.size()));
    return out;
  }
  if (status.empty() || status[0] == '2') return std::nullopt;
  out.code = (status[0] - '0') * 100 + 50;
  out.word = status;
  out.text = base::trim(text.substr(status.size()));
  return out;
}

base::Result<PastedReply> smtp_only(PastedReply out, std::string_view text,
                                    const std::optional<SmtpFound>& found) {
  if (found) {
    take_smtp_lines(text, *found, out);
    return out;
  }
  std::optional<PastedReply> known = by_row(std::move(out), text);
  if (known) return std::move(*known);
  return base::failure(base::Fault::bad_message, "no reply of a server in this",
                       "give it as the server wrote it: mailbearer explain \"550 5.1.1 ...\"");
}

bool over_http_by_stage(std::string_view stage) {
  return stage == "graph" || stage == "token" || stage == "machine" || stage == "service-account";
}

// The person said that it came over HTTP.
PastedReply named_http(PastedReply out, bool graph, std::string_view pasted) {
  KnownWords words = known_words(pasted);
  if (graph && words.graph.empty()) words.graph = unknown_word(pasted, "code");
  if (!graph && words.error.empty() && words.numbers.empty()) {
    words.error = unknown_word(pasted, "error");
  }
  return over_http(std::move(out), std::move(words), graph, pasted);
}

// Nobody said what it is: a code that SMTP alone has, then the known words, then the code.
base::Result<PastedReply> guessed(PastedReply out, std::string_view pasted, std::string_view text,
                                  const std::optional<SmtpFound>& found) {
  if (found && (found->with_status || only_in_smtp(found->code))) {
    return smtp_only(std::move(out), text, found);
  }
  KnownWords words = known_words(pasted);
  if (all_digits(pasted) && pasted.size() >= 5) note_number(pasted, words);
  if (!words.error.empty() || !words.numbers.empty()) {
    return over_http(std::move(out), std::move(words), false, pasted);
  }
  const bool by_status =
      (found && only_in_http(found->code)) ||
      (base::starts_with_ignoring_case(pasted, "HTTP/") && http_status_of(pasted) != 0);
  if (!words.graph.empty() || by_status) {
    return over_http(std::move(out), std::move(words), true, pasted);
  }
  return smtp_only(std::move(out), text, found);
}

}  // namespace

namespace {

// Colours and the like, as a terminal's copy or a log of CI holds them: ESC [ ... letter.
std::string without_escapes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t escape = std::min(text.find('\x1B'), text.size());
    out += text.substr(0, escape);
    text.remove_prefix(escape);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.empty() || text.front() != '[') continue;
    std::size_t end = 1;
    while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

base::Result<PastedReply> read_pasted(std::string_view pasted, std::string_view stage) {
  const std::string plain = without_escapes(pasted.substr(0, pasted_limit_bytes));
  pasted = base::trim(plain);
  PastedReply out;
  out.account = account_of(pasted);
  if (over_http_by_stage(stage)) return named_http(std::move(out), stage == "graph", pasted);
  const std::string_view text = base::trim(server_words(pasted));
  std::optional<SmtpFound> found = code_with_status(text);
  if (!found) found = code_alone(text);
  if (!stage.empty()) return smtp_only(std::move(out), text, found);
  return guessed(std::move(out), pasted, text, found);
}

}  // namespace doctor
