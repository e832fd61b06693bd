#include "mail/address_tokens.h"

#include <utility>

#include "base/text.h"

namespace mail {

namespace {

constexpr std::size_t comment_depth_limit = 32;

constexpr const char* control_byte = "control byte";

Token fault(const char* reason) {
  return {Token::Kind::fault, reason, false};
}

Token::Kind kind_of_sign(char c) {
  switch (c) {
    case '.':
      return Token::Kind::dot;
    case '@':
      return Token::Kind::at;
    case ',':
      return Token::Kind::comma;
    case ';':
      return Token::Kind::semicolon;
    case ':':
      return Token::Kind::colon;
    case '<':
      return Token::Kind::open;
    case '>':
      return Token::Kind::close;
    default:
      return Token::Kind::fault;
  }
}

}  // namespace

bool is_atom_byte(char c) {
  if (static_cast<unsigned char>(c) >= 0x80 || base::is_digit(c)) return true;
  const char low = base::to_lower(c);
  if (low >= 'a' && low <= 'z') return true;
  return c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

std::string Tokens::take_comment() {
  return std::exchange(comment_, {});
}

std::size_t Tokens::white_length() const {
  if (at_ >= text_.size()) return 0;
  if (base::is_blank(text_[at_])) return 1;
  const bool fold = written_ == Written::in_header && text_.substr(at_, 2) == "\r\n" &&
                    at_ + 2 < text_.size() && base::is_blank(text_[at_ + 2]);
  return fold ? 3 : 0;
}

// One byte of a quoted string or a comment, with a backslash before it or not. Returns a reason to
// refuse it, or null.
const char* Tokens::take_quoted_byte(std::string& into) {
  if (const std::size_t white = white_length()) {
    // A fold stands for the blank behind it.
    into += text_[at_ + white - 1];
    at_ += white;
    return nullptr;
  }
  if (text_[at_] == '\\') {
    if (at_ + 1 >= text_.size()) return "backslash at the end";
    ++at_;
  }
  if (base::is_control(text_[at_]) && text_[at_] != '\t') return control_byte;
  into += text_[at_++];
  return nullptr;
}

const char* Tokens::skip_comment() {
  std::size_t depth = 0;
  comment_.clear();
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '(' && ++depth > comment_depth_limit) return "comments nested too deep";
    const bool outermost = depth == 1;
    if (c == ')') --depth;
    if (c == '(' || c == ')') {
      ++at_;
      if (!outermost) comment_ += c;
      if (depth == 0) return nullptr;
      continue;
    }
    if (const char* reason = take_quoted_byte(comment_)) return reason;
  }
  return "comment not closed";
}

const char* Tokens::skip_space(bool& spaced) {
  while (at_ < text_.size()) {
    if (const std::size_t white = white_length()) {
      at_ += white;
    } else if (text_[at_] == '(') {
      if (const char* reason = skip_comment()) return reason;
    } else {
      return nullptr;
    }
    spaced = true;
  }
  return nullptr;
}

Token Tokens::quoted() {
  Token token{Token::Kind::quoted, {}, false};
  for (++at_; at_ < text_.size();) {
    if (text_[at_] == '"') {
      ++at_;
      return token;
    }
    if (const char* reason = take_quoted_byte(token.text)) return fault(reason);
  }
  return fault("quote not closed");
}

Token Tokens::literal() {
  Token token{Token::Kind::literal, "[", false};
  ++at_;
  while (at_ < text_.size()) {
    if (const std::size_t white = white_length()) {
      at_ += white;
      continue;
    }
    const char c = text_[at_++];
    if (base::is_control(c)) return fault(control_byte);
    if (c == '[' || c == '\\') return fault("bracket or backslash inside [ ]");
    token.text += c;
    if (c == ']') return token;
  }
  return fault("[ not closed");
}

Token Tokens::atom() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && is_atom_byte(text_[at_])) ++at_;
  return {Token::Kind::atom, std::string(text_.substr(begin, at_ - begin)), false};
}

Token Tokens::next() {
  bool spaced = false;
  if (const char* reason = skip_space(spaced)) return fault(reason);
  Token token;
  if (at_ >= text_.size()) {
    token.kind = Token::Kind::end;
  } else if (text_[at_] == '"') {
    token = quoted();
  } else if (text_[at_] == '[') {
    token = literal();
  } else if (is_atom_byte(text_[at_])) {
    token = atom();
  } else if (text_[at_] == '\\') {
    ++at_;
    token.kind = Token::Kind::backslash;
  } else {
    token = {kind_of_sign(text_[at_]), std::string(1, text_[at_]), false};
    if (base::is_control(text_[at_])) token.text = control_byte;
    if (text_[at_] == ')') token.text = ") without (";
    if (text_[at_] == ']') token.text = "] without [";
    ++at_;
  }
  token.spaced = spaced;
  return token;
}

}  // namespace mail
