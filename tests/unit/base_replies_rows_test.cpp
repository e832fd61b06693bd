#include <set>

#include "base/replies.h"
#include "base/text.h"
#include "catch.h"

using base::ReplyRow;

TEST_CASE("reply rows: each has a matcher of its own, an exit class and all of its words",
          "[base]") {
  std::set<std::string> matchers;
  for (const ReplyRow* row : base::all_reply_rows()) {
    const std::string words = base::matcher_in_words(*row);
    INFO(words);
    CHECK(matchers.insert(words + std::to_string(row->places)).second);
    CHECK(row->places != 0);
    CHECK(base::lower(row->text) == row->text);
    for (const char* text : {row->cause, row->cure, row->meaning}) {
      CHECK(*text != '\0');
      CHECK(base::is_ascii(text));
      CHECK(!base::has_control(text));
    }
    const std::string_view cause = row->cause;
    CHECK(cause.back() != '.');
    // Temporary rows are worth another try, and a wait is told where it is known.
    if (row->wait_s > 0) CHECK(row->kind == base::FaultClass::temporary);
  }
}

TEST_CASE("reply rows: a matcher in words", "[base]") {
  std::set<std::string> words;
  for (const ReplyRow* row : base::all_reply_rows()) words.insert(base::matcher_in_words(*row));
  for (const char* wanted :
       {"535 5.7.139 with `basic authentication is disabled`, in SMTP", "4xx 4.7.500-699, in SMTP",
        "5xx, after RCPT TO", "AADSTS700082, from a token endpoint",
        "AADSTS80001-80014, from a token endpoint", "429, from a token endpoint",
        "404, from the identity endpoint of the machine", "ErrorSendAsDenied, from Microsoft Graph",
        "any other, from Microsoft Graph"}) {
    INFO(wanted);
    CHECK(words.contains(wanted));
  }
}

TEST_CASE("reply rows: a range counts whole numbers only", "[base]") {
  base::SmtpReplyFacts facts;
  facts.code = 451;
  facts.stage = "rcpt";
  const auto suspicious = [&facts](std::string_view status) {
    facts.status = status;
    return base::judge_smtp_reply(facts).cause == "provider is suspicious of this organization";
  };
  for (const char* status : {"4.7.500", "4.7.501", "4.7.699", "4.7.850", "4.7.899"}) {
    INFO(status);
    CHECK(suspicious(status));
  }
  for (const char* status : {"4.7.499", "4.7.700", "4.7.849", "4.7.900", "4.7.50", "4.7.5000",
                             "4.7.", "4.7.500-699", "4.17.500", "14.7.500", ""}) {
    INFO(status);
    CHECK(!suspicious(status));
  }
}
