#include "mail/address_field.h"

#include "base/text.h"

namespace mail {
namespace {

constexpr std::string_view specials = "<>,:;@";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The offset behind what starts at `at`, or npos. Each takes one kind of piece.
std::size_t end_of_quoted(std::string_view body, std::size_t at) {
  for (std::size_t i = at + 1; i < body.size(); ++i) {
    if (body[i] == '\\')
      ++i;
    else if (body[i] == '"')
      return i + 1;
  }
  return std::string_view::npos;
}

std::size_t end_of_comment(std::string_view body, std::size_t at) {
  std::size_t depth = 0;
  for (std::size_t i = at; i < body.size(); ++i) {
    if (body[i] == '\\')
      ++i;
    else if (body[i] == '(')
      ++depth;
    else if (body[i] == ')' && --depth == 0)
      return i + 1;
  }
  return std::string_view::npos;
}

std::size_t end_of_literal(std::string_view body, std::size_t at) {
  const std::size_t end = body.find(']', at);
  return end == std::string_view::npos ? end : end + 1;
}

std::size_t end_of_blank(std::string_view body, std::size_t at) {
  while (at < body.size() && is_space(body[at])) ++at;
  return at;
}

std::size_t end_of_word(std::string_view body, std::size_t at) {
  while (at < body.size() && !is_space(body[at]) &&
         specials.find(body[at]) == std::string_view::npos && body[at] != '"' && body[at] != '(' &&
         body[at] != '[')
    at += body[at] == '\\' && at + 1 < body.size() && !is_space(body[at + 1]) ? 2U : 1U;
  return at;
}

bool means_something(const Piece& piece) {
  return piece.kind != Lexeme::blank && piece.kind != Lexeme::comment;
}

// Reads the pieces one by one; an element is what stands between two separators.
class Reader {
 public:
  Reader(std::string_view body, const std::vector<Piece>& pieces) : body_(body), pieces_(pieces) {}

  std::optional<AddressField> read() {
    for (std::size_t i = 0; i < pieces_.size(); ++i)
      if (!take(i)) return std::nullopt;
    if (in_angle_ || !finish(pieces_.size(), body_.size())) return std::nullopt;
    return std::move(field_);
  }

 private:
  char special(std::size_t i) const {
    return pieces_[i].kind == Lexeme::special ? body_[pieces_[i].place.at] : '\0';
  }

  bool take(std::size_t i) {
    const Piece& piece = pieces_[i];
    if (piece.kind == Lexeme::comment) field_.comments.push_back(piece.place);
    switch (special(i)) {
      case '<':
        if (in_angle_ || open_ != none) return false;
        in_angle_ = true;
        open_ = i;
        return true;
      case '>':
        if (!in_angle_) return false;
        in_angle_ = false;
        close_ = i;
        return true;
      case ':':
        return !in_angle_ && open_ == none && name_group(i);
      case ',':
      case ';':
        if (in_angle_ || !finish(i, piece.place.at)) return false;
        if (special(i) == ';') in_group_ = false;
        return start(i + 1, piece.place.end());
      default:
        return true;
    }
  }

  bool start(std::size_t piece, std::size_t at) {
    first_ = piece;
    from_ = at;
    open_ = close_ = none;
    return true;
  }

  bool name_group(std::size_t i) {
    const Place name = extent(first_, i);
    if (name.size != 0) field_.phrases.push_back(name);
    const std::string_view text = name.of(body_);
    behind_torn_ = text.starts_with("=?") && !text.ends_with("?=");
    in_group_ = !behind_torn_;
    return start(i + 1, pieces_[i].place.end());
  }

  // From the first to the last piece that means something within [begin, end).
  Place extent(std::size_t begin, std::size_t end) const {
    while (begin < end && !means_something(pieces_[begin])) ++begin;
    while (end > begin && !means_something(pieces_[end - 1])) --end;
    if (begin == end) return {};
    return {pieces_[begin].place.at, pieces_[end - 1].place.end() - pieces_[begin].place.at};
  }

  // The words of a spec joined; two words need a dot or an at sign between them.
  bool join(std::size_t begin, std::size_t end, std::string& plain) const {
    bool apart = false;
    for (std::size_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[i];
      if (!means_something(piece)) {
        apart = apart || !plain.empty();
        continue;
      }
      const std::string_view text = piece.place.of(body_);
      const bool linked = plain.empty() || plain.back() == '.' || plain.back() == '@' ||
                          text.front() == '.' || text.front() == '@';
      if (!linked && (apart || piece.kind == Lexeme::quoted)) return false;
      plain += text;
      apart = false;
    }
    return true;
  }

  bool finish(std::size_t end, std::size_t end_at) {
    AddressPlace address;
    address.element = {from_, end_at - from_};
    address.after_comma = from_ > 0 && body_[from_ - 1] == ',';
    const bool angle = open_ != none;
    const std::size_t begin = angle ? open_ + 1 : first_;
    const std::size_t stop = angle ? close_ : end;
    if (angle && extent(close_ + 1, end).size != 0) return false;
    if (angle) address.phrase = extent(first_, open_);
    address.spec = extent(begin, stop);
    if (!join(begin, stop, address.plain)) return false;
    for (std::size_t i = first_; i < end; ++i)
      if (pieces_[i].kind == Lexeme::comment) address.comment = pieces_[i].place;
    if (address.phrase.size != 0) field_.phrases.push_back(address.phrase);
    if (address.spec.size == 0) return true;
    address.in_group = in_group_;
    address.behind_torn = behind_torn_;
    address.torn = address.plain.starts_with("=?") && address.plain.find('@') == std::string::npos;
    behind_torn_ = address.torn;
    field_.addresses.push_back(std::move(address));
    return true;
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::string_view body_;
  const std::vector<Piece>& pieces_;
  AddressField field_{};
  std::size_t first_ = 0;  // piece and offset where the element starts
  std::size_t from_ = 0;
  std::size_t open_ = none;  // pieces of '<' and '>'
  std::size_t close_ = none;
  bool in_angle_ = false;
  bool in_group_ = false;
  bool behind_torn_ = false;
};

}  // namespace

std::optional<std::vector<Piece>> pieces_of(std::string_view body) {
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < body.size();) {
    const char c = body[at];
    Lexeme kind = Lexeme::word;
    std::size_t end = at + 1;
    if (is_space(c)) {
      kind = Lexeme::blank;
      end = end_of_blank(body, at);
    } else if (c == '(') {
      kind = Lexeme::comment;
      end = end_of_comment(body, at);
    } else if (c == '"') {
      kind = Lexeme::quoted;
      end = end_of_quoted(body, at);
    } else if (c == '[') {
      kind = Lexeme::literal;
      end = end_of_literal(body, at);
    } else if (specials.find(c) != std::string_view::npos) {
      kind = Lexeme::special;
    } else {
      end = end_of_word(body, at);
    }
    if (end == std::string_view::npos) return std::nullopt;
    pieces.push_back({kind, {at, end - at}});
    at = end;
  }
  return pieces;
}

std::optional<AddressField> read_address_field(std::string_view body) {
  const std::optional<std::vector<Piece>> pieces = pieces_of(body);
  if (!pieces) return std::nullopt;
  return Reader(body, *pieces).read();
}

std::string with_edits(std::string_view body, const std::vector<Edit>& edits) {
  std::string out;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    out.append(body.substr(at, edit.place.at - at));
    out.append(edit.text);
    at = edit.place.end();
  }
  out.append(body.substr(at));
  return out;
}

bool is_address_field(std::string_view name) {
  static constexpr std::string_view names[] = {"From",
                                               "Sender",
                                               "Reply-To",
                                               "To",
                                               "Cc",
                                               "Bcc",
                                               "Resent-From",
                                               "Resent-Sender",
                                               "Resent-Reply-To",
                                               "Resent-To",
                                               "Resent-Cc",
                                               "Resent-Bcc",
                                               "Errors-To",
                                               "Mail-Reply-To",
                                               "Mail-Followup-To",
                                               "Return-Receipt-To",
                                               "Disposition-Notification-To"};
  for (const std::string_view one : names)
    if (base::same_ignoring_case(name, one)) return true;
  return false;
}

}  // namespace mail
