// replies: the table of replies: what servers say, what it means, and what to do about it. Data,
// not code. Source: facts/providers.md 1.8, 1.9, 2.5, 2.6, 3.8, 4.1. Exit lines, logs, bounces,
// login and doctor read it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace base {

// A reply of an SMTP server at some stage, judged. `stage`: "banner", "ehlo", "starttls", "auth",
// "mail", "rcpt", "data", "end".
struct SmtpReplyFacts {
  int code = 0;               // 535
  std::string_view status{};  // "5.7.3" or empty
  std::string_view text{};    // the reply's text, lines joined by blanks
  std::string_view stage{};
  bool by_password = false;  // the account signs in with a password and no token
  std::string_view account{};
  std::string_view user{};    // who signs in
  std::string_view sender{};  // From or reverse-path that was tried
  std::string_view host{};
  std::string_view recipient{};
};
// Always an answer: a row of the table, else the class of the code and the server's words.
// Everything that comes from the server is cleaned.
Error judge_smtp_reply(const SmtpReplyFacts& facts);

// An answer of a token endpoint that is no success: RFC 6749 5.2 `error`, Microsoft's error_codes.
struct TokenAnswerFacts {
  int http_status = 0;
  std::string_view error{};
  std::string_view description{};
  std::vector<long> codes{};  // AADSTS numbers
  std::string_view account{};
  std::string_view grant{};  // "user" or "app"
  std::int64_t retry_after_s = 0;
};
Error judge_token_answer(const TokenAnswerFacts& facts);

}  // namespace base
