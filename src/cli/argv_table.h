// argv_table: one row for every option letter of sendmail(8) that any of its kinds has known.
// Source: interface facts 3.2-3.4.
#pragma once

#include <cstdint>

namespace cli {

enum class Takes : std::uint8_t {
  nothing,
  value,         // joined or as the next argument
  joined_value,  // joined or none at all; never the next argument
};

enum class Deed : std::uint8_t {
  account,
  body,
  mode,
  error_mode,
  full_name,
  sender,
  dots_kept,
  notify,
  long_option,
  short_option,
  return_part,
  from_header,
  envelope_id,
  verbose,
  queue_run,
  rebuild,
  ignore,
  refuse,
};

struct OptionRow {
  char letter;
  Takes takes;
  Deed deed;
  const char* why;  // ignored: the reason; refused: what the person is told
};

const OptionRow* find_option(char letter);

// For the modes of -b that are refused; nullptr when the letter is known and honoured or unknown.
const char* refused_mode(char letter);

}  // namespace cli
