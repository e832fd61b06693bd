// address_field: where the addresses, names and comments of an address field stand, so that one of
// them can be changed while every other byte stays. Not a judge of addresses: that is address.h.
// Source: RFC 5322 3.2, 3.4, 4.4. Units: offsets in octets from the start of the field's body.
// Limits: one pass, no recursion. Nothing: the field cannot be read (unbalanced quotes, two words
// without a separator, source routes). Trusts: nothing; bytes above 127 count as letters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

// address_tokens.h reads what addresses mean and drops the bytes; here only the bytes and their
// places matter.
enum class Lexeme : std::uint8_t { blank, comment, quoted, literal, word, special };

struct Place {
  std::size_t at = 0;
  std::size_t size = 0;
  std::size_t end() const { return at + size; }
  std::string_view of(std::string_view body) const { return body.substr(at, size); }
};

struct Piece {
  Lexeme kind = Lexeme::blank;
  Place place{};
};

// Nothing when a quoted string, comment or literal does not end.
std::optional<std::vector<Piece>> pieces_of(std::string_view body);

struct AddressPlace {
  Place element{};           // between two separators, blanks included
  Place phrase{};            // the words before '<'; size 0: none
  Place spec{};              // local@domain or local, without brackets
  Place comment{};           // the last one; size 0: none
  std::string plain{};       // the spec without comments and blanks
  bool after_comma = false;  // the byte before the element is a comma
  bool in_group = false;
  // An RFC 2047 word with a raw comma or colon inside: this is the part before a comma, no address;
  // or the phrase starts with the rest of it.
  bool torn = false;
  bool behind_torn = false;
};

struct AddressField {
  std::vector<AddressPlace> addresses{};
  std::vector<Place> phrases{};   // display names and names of groups
  std::vector<Place> comments{};  // with their parentheses
};

std::optional<AddressField> read_address_field(std::string_view body);

// A change of one place. with_edits() takes them in ascending order, none overlapping.
struct Edit {
  Place place{};
  std::string text{};
};
std::string with_edits(std::string_view body, const std::vector<Edit>& edits);

// Whether RFC 5322 and its companions make the body of this field a list of addresses.
bool is_address_field(std::string_view name);

}  // namespace mail
