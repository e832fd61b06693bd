// tests/e2e/replies_expected.tsv, which was written from the facts, against the table of replies
// and against `explain`.
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "base/replies.h"
#include "base/seal.h"
#include "base/text.h"
#include "catch.h"
#include "doctor/explain.h"
#include "report/exit_code.h"
#include "token/oauth_answer.h"
#include "transport/smtp_reply.h"

namespace {

constexpr const char* user = "me@contoso.example";

struct Expected {
  std::string channel, where, reply, kind, text;
  int exit = 0;
};

std::string with_line_ends(std::string text) {
  for (std::size_t at = 0; (at = text.find("\\n", at)) != std::string::npos;) {
    text.replace(at, 2, "\n");
  }
  return text;
}

std::vector<Expected> all_expected() {
  std::ifstream file("tests/e2e/replies_expected.tsv");
  std::vector<Expected> out;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string_view> fields = base::split(line, '\t');
    REQUIRE(fields.size() == 6);
    Expected row;
    row.channel = fields[0];
    row.where = fields[1];
    row.reply = with_line_ends(std::string(fields[2]));
    row.exit = std::stoi(std::string(fields[3]));
    row.kind = fields[4];
    row.text = fields[5];
    out.push_back(row);
  }
  return out;
}

base::Judged judged_smtp(const Expected& row) {
  base::SmtpReplyFacts facts;
  std::string status;
  std::string text;
  std::string challenge;
  for (const std::string_view line : base::split(row.reply, '\n')) {
    const int code = std::stoi(std::string(line.substr(0, 3)));
    std::string_view words = line.substr(4);
    if (code == 334) {
      challenge = *base::from_base64(words);
      continue;
    }
    facts.code = code;
    const std::string_view leading = transport::leading_status(words);
    if (!leading.empty()) {
      status = leading;
      words = base::trim(words.substr(leading.size()));
    }
    text += (text.empty() ? "" : " ") + std::string(words);
  }
  text += (challenge.empty() ? "" : " ") + challenge;
  facts.status = status;
  facts.text = text;
  facts.by_password = row.where == "password";
  facts.stage = facts.by_password ? "auth" : std::string_view(row.where);
  facts.account = "work";
  facts.user = user;
  facts.sender = user;
  facts.host = "127.0.0.1";
  facts.recipient = "you@else.example";
  return base::look_up_smtp_reply(facts);
}

struct HttpAnswer {
  int status = 0;
  std::int64_t retry_after_s = 0;
  std::string authenticate, body;
};

HttpAnswer http_answer(const std::string& reply) {
  HttpAnswer out;
  const std::size_t head = reply.find("\n\n");
  REQUIRE(head != std::string::npos);
  out.body = reply.substr(head + 2);
  for (const std::string_view line : base::split(std::string_view(reply).substr(0, head), '\n')) {
    if (line.starts_with("Retry-After: "))
      out.retry_after_s = std::stoi(std::string(line.substr(13)));
    if (line.starts_with("WWW-Authenticate: ")) out.authenticate = line.substr(18);
    if (out.status == 0) out.status = std::stoi(std::string(line));
  }
  return out;
}

base::Judged judged_token(const Expected& row) {
  const HttpAnswer answer = http_answer(row.reply);
  const token::OauthAnswer read = token::judge_answer(answer.body);
  base::TokenAnswerFacts facts;
  facts.http_status = answer.status;
  facts.error = read.error;
  facts.description = read.description;
  facts.codes = read.codes;
  facts.account = "work";
  facts.grant = row.where;
  facts.retry_after_s = answer.retry_after_s;
  return base::look_up_token_answer(facts);
}

base::Judged judged_graph(const Expected& row) {
  const HttpAnswer answer = http_answer(row.reply);
  std::string code;
  std::string message;
  std::string inner;
  if (!answer.body.empty()) {
    const nlohmann::json error = nlohmann::json::parse(answer.body).at("error");
    code = error.at("code").get<std::string>();
    message = error.at("message").get<std::string>();
    if (error.contains("innerError")) inner = error.at("innerError").at("code").get<std::string>();
  }
  base::GraphAnswerFacts facts;
  facts.http_status = answer.status;
  facts.code = code;
  facts.message = message;
  if (!inner.empty()) facts.inner_codes = {inner};
  facts.authenticate = answer.authenticate;
  facts.retry_after_s = answer.retry_after_s;
  facts.account = "work";
  facts.user = user;
  facts.sender = user;
  return base::look_up_graph_answer(facts);
}

base::Judged judged(const Expected& row) {
  if (row.channel == "smtp") return judged_smtp(row);
  return row.channel == "token" ? judged_token(row) : judged_graph(row);
}

const char* word_of(base::FaultClass kind) {
  if (kind == base::FaultClass::permanent) return "permanent";
  return kind == base::FaultClass::temporary ? "temporary" : "hold";
}

// How explain calls the place of a row.
std::string stage_of(const Expected& row) {
  if (row.channel == "smtp") return row.where;
  if (row.channel == "graph") return "graph";
  if (row.where == "managed-identity") return "machine";
  return row.where == "service-account" ? "service-account" : "token";
}

}  // namespace

TEST_CASE("replies: every known reply has the class, the exit code and the text of the facts",
          "[doctor]") {
  const std::vector<Expected> rows = all_expected();
  REQUIRE(rows.size() >= 120);
  for (const Expected& row : rows) {
    INFO(row.channel << " " << row.where << " " << row.reply);
    const base::Judged got = judged(row);
    CHECK(report::exit_code(got.error.fault) == row.exit);
    CHECK(std::string(word_of(got.error.kind)) == row.kind);
    const std::string text = got.error.cause + "; " + got.error.cure;
    INFO(text << "\n  wanted: " << row.text);
    CHECK(std::regex_match(text, std::regex(row.text)));
    // Design section 2: the cause before column 80.
    CHECK(std::string("sendmail: not sent (work): ").size() + got.error.cause.size() < 120);
    CHECK(text.find('{') == std::string::npos);
    CHECK(got.error.account == "work");
  }
}

TEST_CASE("replies: no row of the table is dead, and each says what it means", "[doctor]") {
  std::set<const base::ReplyRow*> hit;
  for (const Expected& row : all_expected()) hit.insert(judged(row).row);
  const std::vector<const base::ReplyRow*> rows = base::all_reply_rows();
  CHECK(rows.size() >= 120);
  for (const base::ReplyRow* row : rows) {
    INFO(base::matcher_in_words(*row));
    CHECK(hit.contains(row));
    CHECK(std::string(row->cause).size() < 64);
    CHECK(*row->cure != '\0');
    CHECK(*row->meaning != '\0');
  }
}

TEST_CASE("explain: agrees with the client about every known reply", "[doctor]") {
  for (const Expected& row : all_expected()) {
    // What comes before the refusal is no part of it.
    if (row.reply.starts_with("334 ")) continue;
    INFO(row.channel << " " << row.where << " " << row.reply);
    const base::Result<doctor::Explanation> got = doctor::explain(row.reply, stage_of(row));
    REQUIRE(got.ok());
    CHECK(got->kind == row.channel);
    REQUIRE(got->meanings.size() == 1);
    CHECK(got->meanings[0].exit == row.exit);
    CHECK(std::string(word_of(got->meanings[0].error.kind)) == row.kind);
    CHECK(got->meanings[0].row == judged(row).row);
  }
}
