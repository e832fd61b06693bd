// The list around the mailboxes: elements, groups, display names. RFC 5322 3.4.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mail/address.h"
#include "mail/address_list.h"
#include "mail/address_spec.h"

namespace mail {

namespace {

using Kind = Token::Kind;

constexpr std::size_t list_limit_bytes = 1024UL * 1024;
constexpr std::size_t shown_bytes = 40;

class ListReader {
 public:
  ListReader(std::string_view text, Written written, bool null_fits)
      : text_(text), tokens_(text, written), written_(written), null_fits_(null_fits) {}

  base::Result<std::vector<Address>> read() {
    for (bool more = true; more;) {
      token_begin_ = tokens_.at();
      Token token = tokens_.next();
      more = token.kind != Kind::end;
      if (Reason reason = take(std::move(token))) return refuse(reason);
    }
    return std::move(found_);
  }

 private:
  // One element of the list, as far as it was read.
  struct Element {
    std::vector<Token> words{};   // all of it, or the phrase before <
    std::vector<Token> inside{};  // between < and >
    enum class Angle : std::uint8_t { none, open, closed } angle = Angle::none;
    bool after_backslash = false;
    std::size_t begin = 0;
  };

  Reason take(Token token) {
    if (token.kind == Kind::fault) {
      reason_ = std::move(token.text);
      return reason_.c_str();
    }
    if (element_.after_backslash && (token.kind != Kind::atom || token.spaced)) {
      return "backslash outside quotes";
    }
    element_.after_backslash = token.kind == Kind::backslash;
    if (token.kind == Kind::backslash) return take_backslash();
    if (element_.angle == Element::Angle::open) return take_inside(std::move(token));
    switch (token.kind) {
      case Kind::comma:
      case Kind::semicolon:
      case Kind::end:
        return take_separator(token.kind);
      case Kind::open:
        return take_open();
      case Kind::close:
        return "> without <";
      case Kind::colon:
        return take_colon();
      default:
        if (element_.angle == Element::Angle::closed) return "text behind >";
        element_.words.push_back(std::move(token));
        return nullptr;
    }
  }

  // "\bob": the old sign for "no aliases"; it is no part of the name.
  Reason take_backslash() {
    const bool inside = element_.angle == Element::Angle::open;
    const bool first = inside ? element_.inside.empty()
                              : element_.words.empty() && element_.angle == Element::Angle::none;
    return first ? nullptr : "backslash outside quotes";
  }

  Reason take_open() {
    if (element_.angle != Element::Angle::none) return "two addresses without a comma";
    element_.angle = Element::Angle::open;
    return nullptr;
  }

  Reason take_inside(Token token) {
    if (token.kind == Kind::close) {
      element_.angle = Element::Angle::closed;
      return nullptr;
    }
    if (token.kind == Kind::end || token.kind == Kind::semicolon || token.kind == Kind::open) {
      return "< not closed";
    }
    element_.inside.push_back(std::move(token));
    return nullptr;
  }

  Reason take_colon() {
    if (in_group_) return "a group inside a group";
    const auto names = [](const Token& token) {
      return token.kind == Kind::atom || token.kind == Kind::quoted || token.kind == Kind::dot;
    };
    const std::vector<Token>& words = element_.words;
    if (words.empty() || element_.angle != Element::Angle::none ||
        !std::all_of(words.begin(), words.end(), names)) {
      return "misplaced colon";
    }
    in_group_ = true;
    group_ = phrase_of(words);
    begin_element();
    return nullptr;
  }

  Reason take_separator(Kind kind) {
    if (Reason reason = finish_element()) return reason;
    if (kind == Kind::end && in_group_) return "group not closed by ;";
    if (kind == Kind::semicolon) {
      in_group_ = false;
      group_.clear();
    }
    begin_element();
    return nullptr;
  }

  Reason finish_element() {
    Address address;
    address.comment = tokens_.take_comment();
    if (element_.angle == Element::Angle::none) {
      if (element_.words.empty()) return nullptr;
      if (Reason reason = read_address_spec(element_.words, 0, address.mailbox)) return reason;
    } else {
      if (Reason reason = read_angle(element_.inside, written_, address.mailbox)) return reason;
      if (address.mailbox.null() && !null_fits_) return "nothing inside < >";
      address.phrase = phrase_of(element_.words);
    }
    address.group = group_;
    found_.push_back(std::move(address));
    return nullptr;
  }

  void begin_element() {
    element_ = Element{};
    element_.begin = tokens_.at();
    tokens_.take_comment();
  }

  base::Error refuse(Reason reason) const {
    // The element up to the next separator, so that the person finds it.
    const std::size_t end = text_.find_first_of(",;", token_begin_);
    const std::string_view piece =
        base::trim(text_.substr(element_.begin, std::min(end, text_.size()) - element_.begin));
    return base::failure(base::Fault::bad_message,
                         "bad address \"" + base::clean(piece, shown_bytes) + "\" (" + reason + ")",
                         "write user@domain or Name <user@domain>");
  }

  std::string_view text_;
  Tokens tokens_;
  Written written_;
  bool null_fits_;
  std::size_t token_begin_ = 0;
  Element element_{};
  bool in_group_ = false;
  std::string group_{};
  std::string reason_{};
  std::vector<Address> found_{};
};

}  // namespace

base::Result<std::vector<Address>> read_list(std::string_view text, Written written,
                                             bool null_fits) {
  if (text.size() > list_limit_bytes) {
    return base::failure(base::Fault::bad_message, "address list over 1 MiB",
                         "send to fewer recipients at once");
  }
  return ListReader(text, written, null_fits).read();
}

base::Result<std::vector<Address>> parse_address_list(std::string_view text, Written written) {
  return read_list(text, written, false);
}

}  // namespace mail
