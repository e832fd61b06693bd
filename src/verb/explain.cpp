#include "doctor/explain.h"

#include <unistd.h>

#include "base/file.h"
#include "doctor/pasted_reply.h"
#include "verb/call.h"
#include "verb/console.h"

namespace verb {

namespace {

using base::Fault;

// The words of the command line, or standard input for the one word "-".
base::Result<std::string> pasted(const std::vector<std::string>& words, bool input_closed) {
  if (words.size() == 1 && words[0] == "-") {
    if (input_closed) return base::failure(Fault::io, "standard input is closed");
    base::Result<std::string> read =
        base::read_all(STDIN_FILENO, doctor::pasted_limit_bytes, "standard input");
    if (read || read.error().fault == Fault::io) return read;
    return base::failure(Fault::bad_message, "standard input is longer than 64 KiB",
                         "give the reply alone");
  }
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

}  // namespace

int explain(const Call& call) {
  const base::Result<std::string> text = pasted(call.command.operands, call.input_closed);
  if (!text) return complain(text.error());
  const base::Result<doctor::Explanation> explained = doctor::explain(*text, call.command.stage);
  if (!explained) return complain(explained.error());
  return say(call.command.json ? doctor::explanation_json(*explained)
                               : doctor::explanation_text(*explained));
}

}  // namespace verb
