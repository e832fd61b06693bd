#include "transport/smtp_reply.h"

#include <utility>

#include "base/text.h"

namespace transport {

namespace {

struct ReplyLine {
  int code = 0;
  bool last = false;
  std::string_view text{};
};

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

// The lines of one reply as they came.
struct Lines {
  std::vector<std::string> lines{};
  int code = 0;
  base::Done whole = base::done();
  bool garbage = false;  // the last line is what is wrong
};

Lines take_lines(net::LineReader& reader, base::Deadline deadline) {
  Lines out;
  const auto refuse = [&out](const char* what) {
    out.garbage = true;
    out.whole = base::failure(base::Fault::protocol, what);
  };
  std::size_t bytes = 0;
  for (bool last = false; !last && !out.garbage;) {
    base::Result<std::string> line = reader.line(deadline);
    if (!line) {
      out.whole = std::move(line).error();
      break;
    }
    bytes += line->size();
    out.lines.push_back(std::move(*line));
    ReplyLine part;
    if (!parse_line(out.lines.back(), part)) {
      refuse("no SMTP reply");
    } else if (out.code != 0 && part.code != out.code) {
      refuse("a reply with two codes");
    } else if (out.lines.size() > reply_lines_limit || bytes > reply_bytes_limit) {
      refuse("an endless reply");
    }
    out.code = part.code;
    last = part.last;
  }
  return out;
}

// Codes stay out of it: a server that quotes us over several lines puts one before each piece.
void blot_out(std::vector<std::string>& lines, const Blot& blot) {
  if (blot.empty()) return;
  std::vector<Blot::Piece> pieces;
  for (std::string& line : lines) {
    ReplyLine part;
    std::size_t begin = 0;
    if (parse_line(line, part)) {
      begin = line.size() - part.text.size() + leading_status(part.text).size();
    }
    pieces.push_back({&line, begin});
  }
  blot.over(pieces);
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
                               const base::Trace& trace, const Blot& blot) {
  Lines came = take_lines(reader, deadline);
  blot_out(came.lines, blot);
  for (const std::string& line : came.lines) {
    base::tell(trace, base::clean(line, reply_line_limit));
  }
  if (!came.whole) {
    base::Error error = std::move(came.whole).error();
    if (came.garbage) error.said = base::clean(came.lines.back(), 200);
    return error;
  }
  Reply reply;
  reply.code = came.code;
  for (const std::string& line : came.lines) {
    reply.lines.push_back(line.size() > 4 ? line.substr(4) : std::string());
  }
  finish(reply);
  return reply;
}

std::string one_line(const Reply& reply, std::size_t limit) {
  std::string out = std::to_string(reply.code);
  if (!reply.status.empty()) out += " " + reply.status;
  if (!reply.text.empty()) out += " " + reply.text;
  return base::clean(out, limit);
}

}  // namespace transport
