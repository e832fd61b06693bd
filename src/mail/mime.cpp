#include "mail/mime.h"

#include <algorithm>

#include "base/text.h"
#include "mail/address_field.h"
#include "mail/range.h"

namespace mail {
namespace {

constexpr std::size_t line_limit = 998;  // RFC 5322 2.1.1
constexpr std::size_t line_wish = 78;

bool body_is_utf8(const Message& message) {
  const base::Result<RangeFacts> facts =
      measure_range(message.bytes, message.body_offset, message.bytes.size_bytes());
  return facts.ok() && facts.value().utf8;
}

struct Break {
  std::size_t at = 0;  // the new line starts here
  bool blank = false;  // a blank must be put there
  bool behind_name = false;
};

bool is_list_of_ids(const Field& field) {
  return is_named(field, "References") || is_named(field, "In-Reply-To");
}

// Where the body of a field may be folded, in order.
std::vector<Break> breaks_of(const Field& field) {
  const std::string& body = field.body;
  std::vector<Break> breaks;
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  for (std::size_t i = 1; i < body.size(); ++i) {
    if (base::is_blank(body[i]) && !base::is_blank(body[i - 1]) && body[i - 1] != '\n')
      breaks.push_back({i, false, false});
    else if (is_list_of_ids(field) && body[i] == '<' && body[i - 1] == '>')
      breaks.push_back({i, true, false});
  }
  if (first != std::string::npos && first > 0 && base::is_blank(body[0]))
    breaks.insert(breaks.begin(), {0, false, true});
  if (!is_address_field(field.name)) return breaks;
  for (const Piece& piece : pieces_of(body).value_or(std::vector<Piece>())) {
    const std::size_t end = piece.place.end();
    if (piece.kind == Lexeme::special && body[piece.place.at] == ',' && end < body.size() &&
        !base::is_blank(body[end]) && body[end] != '\r')
      breaks.push_back({end, true, false});
  }
  std::sort(breaks.begin(), breaks.end(),
            [](const Break& a, const Break& b) { return a.at < b.at; });
  return breaks;
}

// Folds one line of a field's body: [begin, end) of it, `column` octets stand before it.
class LineFold {
 public:
  LineFold(const std::string& body, const std::vector<Break>& breaks, std::string& out)
      : body_(body), breaks_(breaks), out_(out) {}

  bool fold(std::size_t begin, std::size_t end, std::size_t column) {
    // Blanks at the end are no place: a line of blanks alone would end there.
    std::size_t last = end;
    while (last > begin && base::is_blank(body_[last - 1])) --last;
    while (column + (end - begin) > line_wish) {
      const Break* chosen = choose(begin, last, column);
      if (chosen == nullptr) break;
      out_.append(body_, begin, chosen->at - begin);
      out_ += chosen->blank ? "\r\n " : "\r\n";
      begin = chosen->at;
      column = chosen->blank ? 1 : 0;
    }
    out_.append(body_, begin, end - begin);
    return column + (end - begin) <= line_limit;
  }

 private:
  // The last place that keeps the line short, else the first one behind; right after the name only
  // when nothing else helps.
  const Break* choose(std::size_t begin, std::size_t last, std::size_t column) {
    while (next_ < breaks_.size() && breaks_[next_].at < begin) ++next_;
    const Break* chosen = nullptr;
    const Break* behind_name = nullptr;
    for (std::size_t i = next_; i < breaks_.size() && breaks_[i].at < last; ++i) {
      const Break& one = breaks_[i];
      if (one.at == begin && !one.behind_name) continue;
      const std::size_t size = column + (one.at - begin);
      if (size > (chosen == nullptr ? line_limit : line_wish)) break;
      (one.behind_name ? behind_name : chosen) = &one;
      if (size > line_wish && chosen != nullptr) break;
    }
    if (chosen == nullptr && column > 0) return behind_name;
    return chosen;
  }

  const std::string& body_;
  const std::vector<Break>& breaks_;
  std::string& out_;
  std::size_t next_ = 0;
};

bool has_long_line(const Field& field) {
  std::size_t column = field.name.size() + 1;
  for (std::size_t at = 0;;) {
    const std::size_t end = std::min(field.body.find("\r\n", at), field.body.size());
    if (column + (end - at) > line_limit) return true;
    if (end == field.body.size()) return false;
    at = end + 2;
    column = 0;
  }
}

bool fold_field(Field& field) {
  const std::vector<Break> breaks = breaks_of(field);
  std::string out;
  LineFold lines(field.body, breaks, out);
  std::size_t column = field.name.size() + 1;
  for (std::size_t at = 0;;) {
    const std::size_t end = std::min(field.body.find("\r\n", at), field.body.size());
    const bool is_long = column + (end - at) > line_limit;
    if (!is_long) out.append(field.body, at, end - at);
    if (is_long && !lines.fold(at, end, column)) return false;
    if (end == field.body.size()) break;
    out += "\r\n";
    at = end + 2;
    column = 0;
  }
  field.body = std::move(out);
  return true;
}

}  // namespace

void label_8bit_body(Message& message) {
  Header& header = message.header;
  const bool has_version = header.find("MIME-Version") != nullptr;
  const bool has_type = header.find("Content-Type") != nullptr;
  const bool has_encoding = header.find("Content-Transfer-Encoding") != nullptr;
  if (!message.body_is_8bit || has_version) return;
  // A body in another charset says so itself or stays as it is: a wrong label is worse than none.
  if (!has_type && (has_encoding || !body_is_utf8(message))) return;
  header.append("MIME-Version", "1.0");
  if (!has_type) header.append("Content-Type", "text/plain; charset=utf-8");
  if (!has_encoding) header.append("Content-Transfer-Encoding", "8bit");
}

base::Done fold_long_fields(Header& header) {
  for (Field& field : header.fields) {
    if (!has_long_line(field)) continue;
    if (!fold_field(field))
      return base::failure(base::Fault::bad_message,
                           "header field " + base::clean(field.name, 40) +
                               " has a line over 998 octets without a blank to fold it at",
                           "shorten it");
  }
  return base::done();
}

bool needs_reencoding(const Message& message, bool server_takes_8bit) {
  return (message.body_is_8bit && !server_takes_8bit) || message.body_has_long_line ||
         message.body_has_nul;
}

}  // namespace mail
