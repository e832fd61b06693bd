#include "doctor/explain.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "doctor/explain_words.h"
#include "doctor/pasted_reply.h"
#include "report/exit_code.h"

namespace doctor {

namespace {

constexpr std::size_t reply_limit = 600;

struct StageRow {
  std::string_view word;
  std::string_view table;  // what the table calls it; empty: not SMTP
  bool by_password;
  std::string_view told;
};
constexpr std::array stages = {
    StageRow{"banner", "banner", false, "as the greeting"},
    StageRow{"ehlo", "ehlo", false, "after EHLO"},
    StageRow{"starttls", "starttls", false, "after STARTTLS"},
    StageRow{"auth", "auth", false, "after AUTH with a token"},
    StageRow{"password", "auth", true, "after AUTH with a password"},
    StageRow{"mail", "mail", false, "after MAIL FROM"},
    StageRow{"rcpt", "rcpt", false, "after RCPT TO"},
    StageRow{"data", "data", false, "after DATA"},
    StageRow{"end", "end", false, "after the message"},
    StageRow{"token", "", false, "from a token endpoint"},
    StageRow{"machine", "", false, "from the identity endpoint of a machine"},
    StageRow{"service-account", "", false, "from a token endpoint"},
    StageRow{"graph", "", false, "from Microsoft Graph"},
};

const StageRow* stage_row(std::string_view word) {
  const auto* found = std::find_if(stages.begin(), stages.end(),
                                   [word](const StageRow& row) { return row.word == word; });
  return found == stages.end() ? nullptr : found;
}

// What stands for the names that a real delivery would fill in.
struct Names {
  std::string account;
};

base::Judged judged_at(const PastedReply& reply, const StageRow& stage, const Names& names) {
  base::SmtpReplyFacts facts;
  facts.code = reply.code;
  facts.status = reply.word;
  facts.text = reply.text;
  facts.stage = stage.table;
  facts.by_password = stage.by_password;
  facts.account = names.account;
  facts.user = "USER";
  facts.sender = "SENDER";
  facts.host = "HOST";
  facts.recipient = "RECIPIENT";
  return base::look_up_smtp_reply(facts);
}

base::Judged judged_token(const PastedReply& reply, std::string_view stage, const Names& names) {
  base::TokenAnswerFacts facts;
  facts.http_status = reply.code;
  facts.error = reply.word;
  facts.description = reply.text;
  facts.codes = reply.numbers;
  facts.account = names.account;
  if (stage == "machine") facts.grant = "managed-identity";
  if (stage == "service-account") facts.grant = stage;
  return base::look_up_token_answer(facts);
}

base::Judged judged_graph(const PastedReply& reply, const Names& names) {
  base::GraphAnswerFacts facts;
  facts.http_status = reply.code;
  facts.code = reply.word;
  facts.message = reply.text;
  facts.account = names.account;
  facts.user = "USER";
  facts.sender = "SENDER";
  return base::look_up_graph_answer(facts);
}

Meaning meaning_of(base::Judged judged, std::string_view stage) {
  Meaning out;
  out.stages.emplace_back(stage);
  out.exit = report::exit_code(judged.error.fault);
  out.row = judged.row;
  out.error = std::move(judged.error);
  return out;
}

// Where a reply with this code most likely came, likeliest first.
std::vector<std::string_view> likely_stages(int code, std::string_view status) {
  std::vector<std::string_view> out;
  constexpr std::array of_auth = {334, 454, 504, 530, 534, 535, 538};
  constexpr std::array of_content = {354, 432, 451, 452, 552, 554};
  const auto among = [code](const auto& codes) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
  };
  const bool of_recipient = status.size() > 3 && status.substr(1, 3) == ".1.";
  if (among(of_auth)) out.emplace_back("auth");
  if (among(of_content) && !of_recipient) out.emplace_back("end");
  if (code == 500 || code == 501 || code == 502 || code == 503) out.emplace_back("mail");
  for (const char* next :
       {"rcpt", "end", "mail", "data", "auth", "password", "banner", "ehlo", "starttls"}) {
    if (std::find(out.begin(), out.end(), next) == out.end()) out.emplace_back(next);
  }
  return out;
}

std::vector<Meaning> meanings_of_smtp(const PastedReply& reply, const Names& names) {
  std::vector<Meaning> out;
  for (const std::string_view stage : likely_stages(reply.code, reply.word)) {
    Meaning next = meaning_of(judged_at(reply, *stage_row(stage), names), stage);
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&next](const Meaning& one) { return one.row == next.row; });
    if (same == out.end()) {
      out.push_back(std::move(next));
    } else {
      same->stages.emplace_back(stage);
    }
  }
  // What a row knows is worth more than what the class of the code says.
  std::stable_partition(out.begin(), out.end(), [](const Meaning& one) {
    return one.row != nullptr && base::is_exact(*one.row);
  });
  return out;
}

std::string told_reply(const PastedReply& reply) {
  std::string out = reply.code > 0 ? std::to_string(reply.code) : "";
  const auto add = [&out](const std::string& word) {
    if (!word.empty()) out += (out.empty() ? "" : " ") + word;
  };
  add(reply.word);
  for (const long number : reply.numbers) add("AADSTS" + std::to_string(number));
  if (reply.kind == PastedReply::Kind::smtp) add(reply.text);
  return base::clean(out.empty() ? reply.text : out, reply_limit);
}

base::Error unknown_stage(std::string_view stage) {
  const std::vector<std::string> known = stage_words();
  const std::string near = base::nearest(stage, known);
  std::string all;
  for (const std::string& word : known) all += (all.empty() ? "" : ", ") + word;
  return base::failure(base::Fault::usage, "unknown stage `" + base::clean(stage, 60) + "`",
                       near.empty() ? "use one of: " + all : "did you mean " + near + "?");
}

}  // namespace

std::string_view class_words(base::FaultClass kind) {
  switch (kind) {
    case base::FaultClass::permanent:
      return "permanent";
    case base::FaultClass::temporary:
      return "temporary";
    case base::FaultClass::hold:
      break;
  }
  return "waits for a person";
}

std::string_view stage_told(std::string_view stage) {
  const StageRow* row = stage_row(stage);
  return row == nullptr ? stage : row->told;
}

std::vector<std::string> stage_words() {
  std::vector<std::string> out;
  out.reserve(stages.size());
  for (const StageRow& row : stages) out.emplace_back(row.word);
  return out;
}

base::Result<Explanation> explain(std::string_view pasted, std::string_view stage) {
  const StageRow* named = stage_row(stage);
  if (!stage.empty() && named == nullptr) return unknown_stage(stage);
  base::Result<PastedReply> read = read_pasted(pasted, stage);
  if (!read) return std::move(read).error();
  const Names names = {read->account.empty() ? "ACCOUNT" : read->account};
  Explanation out;
  out.reply = told_reply(*read);
  switch (read->kind) {
    case PastedReply::Kind::token:
      out.kind = "token";
      out.meanings.push_back(
          meaning_of(judged_token(*read, stage, names), stage.empty() ? "token" : stage));
      break;
    case PastedReply::Kind::graph:
      out.kind = "graph";
      out.meanings.push_back(meaning_of(judged_graph(*read, names), "graph"));
      break;
    case PastedReply::Kind::smtp:
      out.kind = "smtp";
      if (named != nullptr) {
        out.meanings.push_back(meaning_of(judged_at(*read, *named, names), stage));
      } else {
        out.meanings = meanings_of_smtp(*read, names);
      }
      break;
  }
  return out;
}

}  // namespace doctor
