// explain: a reply of a server put into words by the table of replies: what it means, what becomes
// of the message, which exit code sendmail gives, and what to do. Where nobody says at which point
// of the dialogue the reply came, the likeliest point is taken and the others are told behind it.
// Pure. Errors: Fault::usage (stage), Fault::bad_message (no reply).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/replies.h"
#include "base/result.h"

namespace doctor {

// What one row says, and the stages at which it does.
struct Meaning {
  std::vector<std::string> stages{};
  base::Error error{};
  const base::ReplyRow* row = nullptr;  // nullptr: no refusal
  int exit = 0;
};

struct Explanation {
  std::string reply{};              // as it was understood
  std::string kind{};               // "smtp", "token", "graph"
  std::vector<Meaning> meanings{};  // the likeliest first; never empty
};

// `stage`: "" or one of stage_words().
base::Result<Explanation> explain(std::string_view pasted, std::string_view stage);
std::vector<std::string> stage_words();

std::string explanation_text(const Explanation& explanation);
std::string explanation_json(const Explanation& explanation);

}  // namespace doctor
