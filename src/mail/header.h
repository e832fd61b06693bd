// header: the header section of a message as a list of fields, in order, bytes kept.
// Source: RFC 5322 2.2 and 4.5 (obsolete "Subject :"), R38 of the interface facts (a bad line ends
// it). Limits: 1 MiB for the whole section (Fault::bad_message beyond). Line ends inside are CRLF.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mail {

struct Field {
  std::string name{};  // as written, without blanks before the colon
  std::string body{};  // what follows the colon, folds kept as CRLF + blank, without the last CRLF
};

class Header {
 public:
  std::vector<Field> fields;

  const Field* find(std::string_view name) const;  // the first of that name, any case
  Field* find(std::string_view name);
  std::size_t count(std::string_view name) const;
  void remove(std::string_view name);                          // every field of that name
  void append(std::string_view name, std::string_view value);  // " value" at the end
  void prepend(std::string_view name, std::string_view value);
  std::string text() const;  // each field with CRLF, without the empty line
};

bool is_named(const Field& field, std::string_view name);
std::string unfold(std::string_view body);  // folds become single blanks, ends trimmed

}  // namespace mail
