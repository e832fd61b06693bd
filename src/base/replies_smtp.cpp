#include <array>

#include "base/replies.h"
#include "base/replies_row.h"
#include "base/text.h"

namespace base {

namespace {

constexpr std::size_t said_limit = 400;

struct StageName {
  std::string_view name;
  ReplyPlace place;
};
constexpr std::array<StageName, 8> stage_names = {{
    {"banner", at_banner},
    {"ehlo", at_ehlo},
    {"starttls", at_starttls},
    {"auth", at_auth},
    {"mail", at_mail},
    {"rcpt", at_rcpt},
    {"data", at_data},
    {"end", at_end},
}};

unsigned place_of(const SmtpReplyFacts& facts) {
  for (const StageName& known : stage_names) {
    if (known.name != facts.stage) continue;
    return known.place == at_auth && facts.by_password ? unsigned{at_auth | at_password}
                                                       : unsigned{known.place};
  }
  return 0;
}

bool fits(const ReplyRow& row, const SmtpReplyFacts& facts, unsigned place, std::string_view text) {
  if (row.places != at_smtp && (row.places & place) == 0) return false;
  return code_fits(row.code, facts.code) && word_fits(row.word, facts.status) &&
         text.find(row.text) != std::string_view::npos;
}

std::string or_else(std::string_view value, const char* instead) {
  return value.empty() ? instead : std::string(value);
}

std::vector<FillIn> values_of(const SmtpReplyFacts& facts) {
  return {{"account", std::string(facts.account)},
          {"user", or_else(facts.user, "this account")},
          {"sender", or_else(facts.sender, "this sender")},
          {"host", std::string(facts.host)},
          {"recipient", or_else(facts.recipient, "this recipient")},
          {"status", std::to_string(facts.code)}};
}

std::string words_of(const SmtpReplyFacts& facts) {
  std::string out = std::to_string(facts.code);
  if (!facts.status.empty()) out += " " + std::string(facts.status);
  if (!facts.text.empty()) out += " " + std::string(facts.text);
  return clean(out, said_limit);
}

Error told(Error error, const SmtpReplyFacts& facts) {
  error.account = std::string(facts.account);
  error.said = words_of(facts);
  error.status = clean(facts.status, 16);
  return error;
}

}  // namespace

Judged look_up_smtp_reply(const SmtpReplyFacts& facts) {
  const unsigned place = place_of(facts);
  const std::string text = lower(facts.text);
  const std::vector<FillIn> values = values_of(facts);
  const bool refusal = facts.code >= 400 && facts.code <= 599;
  for (const ReplyRow& row : smtp_reply_rows()) {
    if (!refusal || !fits(row, facts, place, text)) continue;
    return {told(error_of(row, row.kind, values, 0), facts), &row};
  }
  // Neither yes nor no, where a yes or a no was due.
  return {
      told(failure(Fault::protocol, fill_in("server {host} gave a reply that fits nothing", values),
                   "check smtp_host and smtp_port"),
           facts),
      nullptr};
}

Error judge_smtp_reply(const SmtpReplyFacts& facts) {
  return look_up_smtp_reply(facts).error;
}

}  // namespace base
