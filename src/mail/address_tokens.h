// address_tokens: the words and signs of an address list. Source: RFC 5322 3.2, RFC 6532 3.2.
// Linear, no recursion. Internal to the room: address_list.cpp reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mail/address.h"

namespace mail {

struct Token {
  enum class Kind : std::uint8_t {
    atom,
    quoted,   // text: without quotes and backslashes
    literal,  // text: with its brackets, without white space
    dot,
    at,
    comma,
    semicolon,
    colon,
    open,   // <
    close,  // >
    backslash,
    end,
    fault,  // text: the reason
  };
  Kind kind = Kind::end;
  std::string text{};
  bool spaced = false;  // white space or a comment stands before it
};

class Tokens {
 public:
  Tokens(std::string_view text, Written written) : text_(text), written_(written) {}
  Token next();
  std::size_t at() const { return at_; }
  // The last comment since the last call, with its nested ones, without backslashes.
  std::string take_comment();

 private:
  // Length of the white space at `at_`: a blank, or a fold where folds may be; 0: none.
  std::size_t white_length() const;
  const char* skip_space(bool& spaced);
  const char* skip_comment();
  const char* take_quoted_byte(std::string& into);
  Token quoted();
  Token literal();
  Token atom();

  std::string_view text_;
  Written written_;
  std::size_t at_ = 0;
  std::string comment_{};
};

// Whether a byte may stand in an atom: RFC 5322 3.2.3 atext, and everything beyond ASCII.
bool is_atom_byte(char c);

}  // namespace mail
