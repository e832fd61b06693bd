#include "submit/ask.h"

#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "net/stream.h"
#include "submit/door.h"

namespace submit {

namespace {

constexpr std::size_t line_limit = std::size_t{1024} * 1024;  // a row has all its recipients
constexpr std::int64_t answer_ms = 30'000;

// "554 5.0.0 SENTENCE x=64"
Refusal refusal_of(const std::string& line) {
  Refusal refusal{76, line.size() > 4 ? line.substr(4) : line};
  const std::size_t mark = refusal.sentence.rfind(" x=");
  std::int64_t exit = 0;
  if (mark != std::string::npos &&
      base::parse_number(refusal.sentence.substr(mark + 3), 0, 78, exit)) {
    refusal.exit = static_cast<int>(exit);
    refusal.sentence.erase(mark);
  }
  if (!refusal.sentence.empty() && base::is_digit(refusal.sentence[0])) {
    refusal.sentence.erase(0, refusal.sentence.find(' ') + 1);
  }
  return refusal;
}

}  // namespace

std::string control_socket(const std::string& socket) {
  return base::folder_of(socket) + "/control.sock";
}

base::Result<Refusal> ask(const std::string& control, const std::string& request,
                          const base::Secret& secret,
                          const std::function<void(std::string_view line)>& take) {
  base::Result<base::Fd> socket = connect_agent(control);
  if (!socket) return std::move(socket).error();
  net::FdStream stream(std::move(*socket));
  base::Secret whole(request + "\r\n");
  whole.append(secret.reveal());
  base::Done sent = stream.write(whole.reveal(), base::Deadline::after_ms(answer_ms));
  if (!sent) return std::move(sent).error();
  net::LineReader lines(stream, line_limit);
  for (;;) {
    base::Result<std::string> line = lines.line(base::Deadline::after_ms(answer_ms));
    if (!line) return std::move(line).error();
    if (line->size() < 4 || !base::is_digit((*line)[0])) {
      return base::failure(base::Fault::protocol, "the agent's answer makes no sense",
                           "install agent and command of one version");
    }
    if ((*line)[3] == '-') {
      take(std::string_view(*line).substr(4));
      continue;
    }
    Refusal last = refusal_of(*line);
    if ((*line)[0] == '2') last.exit = 0;
    return last;
  }
}

}  // namespace submit
