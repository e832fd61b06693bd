#include "transport/smtp_reply.h"

#include "base/text.h"

namespace transport {

namespace {

struct ReplyLine {
  int code = 0;
  bool last = false;
  std::string_view text{};
};

base::Error garbage(const std::string& what, std::string_view line) {
  base::Error error = base::failure(base::Fault::protocol, what);
  error.said = base::clean(line, 200);
  return error;
}

bool parse_line(std::string_view line, ReplyLine& out) {
  if (line.size() < 3 || line[0] < '2' || line[0] > '5') return false;
  if (!base::is_digit(line[1]) || !base::is_digit(line[2])) return false;
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return false;
  out.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  out.last = line.size() == 3 || line[3] == ' ';
  out.text = line.size() > 4 ? line.substr(4) : std::string_view();
  return true;
}

// Digits from `at`, one to three of them; 0 when there are none.
std::size_t digits(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && base::is_digit(text[at + count])) ++count;
  return count <= 3 ? count : 0;
}

// Joins the lines; the enhanced code is repeated on each and told once.
void finish(Reply& reply) {
  for (const std::string& line : reply.lines) {
    std::string_view text = line;
    const std::string_view status = leading_status(text);
    if (!status.empty() && status[0] - '0' == reply.code / 100) {
      if (reply.status.empty()) reply.status = status;
      if (status == reply.status) text = base::trim(text.substr(status.size()));
    }
    if (text.empty()) continue;
    if (!reply.text.empty()) reply.text += ' ';
    reply.text += text;
  }
}

}  // namespace

std::string_view leading_status(std::string_view text) {
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') {
    return {};
  }
  const std::size_t subject = digits(text, 2);
  const std::size_t dot = 2 + subject;
  if (subject == 0 || dot >= text.size() || text[dot] != '.') return {};
  const std::size_t detail = digits(text, dot + 1);
  const std::size_t end = dot + 1 + detail;
  if (detail == 0 || (end < text.size() && !base::is_blank(text[end]))) return {};
  return text.substr(0, end);
}

base::Result<Reply> read_reply(net::LineReader& reader, base::Deadline deadline,
                               const base::Trace& trace) {
  Reply reply;
  std::size_t bytes = 0;
  for (;;) {
    base::Result<std::string> line = reader.line(deadline);
    if (!line) return std::move(line).error();
    base::tell(trace, base::clean(*line, reply_line_limit));
    ReplyLine part;
    if (!parse_line(*line, part)) return garbage("no SMTP reply", *line);
    if (reply.code != 0 && part.code != reply.code) {
      return garbage("a reply with two codes", *line);
    }
    bytes += line->size();
    if (reply.lines.size() == reply_lines_limit || bytes > reply_bytes_limit) {
      return garbage("an endless reply", *line);
    }
    reply.code = part.code;
    reply.lines.emplace_back(part.text);
    if (!part.last) continue;
    finish(reply);
    return reply;
  }
}

std::string one_line(const Reply& reply, std::size_t limit) {
  std::string out = std::to_string(reply.code);
  if (!reply.status.empty()) out += " " + reply.status;
  if (!reply.text.empty()) out += " " + reply.text;
  return base::clean(out, limit);
}

}  // namespace transport
