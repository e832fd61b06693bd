// replies: the table of replies: what servers say, what it means, and what to do about it. Data,
// not code: replies_*_rows.cpp. Source: facts/providers.md 1.6, 1.8, 1.9, 2.2 to 2.6, 3.5 to 3.8,
// 4.1, 5.4, and the RFCs named there. Exit lines, logs, bounces, login, doctor and explain read it.
// Trusts: nothing that a server says; every word of one is cleaned and bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace base {

// Where a reply is met, as bits, so that a row can name several.
enum ReplyPlace : unsigned {
  at_banner = 1,
  at_ehlo = 2,
  at_starttls = 4,
  at_auth = 8,
  at_mail = 16,
  at_rcpt = 32,
  at_data = 64,
  at_end = 128,
  at_content = at_data | at_end,
  at_smtp = 255,
  at_password = 256,  // at_auth, of an account that signs in with one and no token
  at_token = 512,     // a token endpoint
  at_machine = 1024,  // the identity endpoint of a virtual machine or of Azure Arc
  at_service = 2048,  // a token endpoint, asked by a service account
  at_graph = 4096,    // Microsoft Graph
};

// One form of row for SMTP, token endpoints and Graph. The first part says which replies it fits,
// the second what they mean.
struct ReplyRow {
  int code;          // SMTP code or HTTP status; 2 to 5: any of that class; 0: any
  const char* word;  // "5.7.3", an OAuth `error`, "AADSTS700082", a Graph `code`. The last number
                     // may be a range: "4.7.500-699". "": any, or none
  const char* text;  // a piece of the text in lower case; "": any
  unsigned places;
  Fault fault;  // the exit code
  FaultClass kind;
  const char* cause;  // the program's own text, with {account}, {user}, {sender}, {host},
  const char* cure;   // {recipient}, {code}, {status} and {sign_in} to be filled in
  std::int64_t wait_s;
  const char* meaning;  // what lies behind it, for a person who asks
};

// A row that knows more than the class of the code.
bool is_exact(const ReplyRow& row);
// "535 5.7.139 with `basic authentication is disabled`, in SMTP".
std::string matcher_in_words(const ReplyRow& row);
// Every row, in the order in which they are tried.
std::vector<const ReplyRow*> all_reply_rows();

struct Judged {
  Error error{};
  const ReplyRow* row = nullptr;  // nullptr: no refusal, nothing to judge
};

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
Judged look_up_smtp_reply(const SmtpReplyFacts& facts);
Error judge_smtp_reply(const SmtpReplyFacts& facts);

// An answer of a token endpoint that is no success: RFC 6749 5.2 `error`, Microsoft's error_codes.
struct TokenAnswerFacts {
  int http_status = 0;
  std::string_view error{};
  std::string_view description{};
  std::vector<long> codes{};  // AADSTS numbers
  std::string_view account{};
  std::string_view
      grant{};  // the word of the configuration: "user", "app", "managed-identity", ...
  std::int64_t retry_after_s = 0;
};
// `error` steers the class, the numbers choose the words.
Judged look_up_token_answer(const TokenAnswerFacts& facts);
Error judge_token_answer(const TokenAnswerFacts& facts);

// An answer of Microsoft Graph to sendMail, to a draft or to an upload, other than the success that
// was due.
struct GraphAnswerFacts {
  int http_status = 0;
  std::string_view code{};  // error.code
  std::string_view message{};
  std::vector<std::string_view> inner_codes{};  // error.innerError.code and deeper, outermost first
  std::string_view authenticate{};              // the WWW-Authenticate field
  std::int64_t retry_after_s = 0;
  std::string_view account{};
  std::string_view user{};
  std::string_view sender{};
};
Judged look_up_graph_answer(const GraphAnswerFacts& facts);
Error judge_graph_answer(const GraphAnswerFacts& facts);

}  // namespace base
