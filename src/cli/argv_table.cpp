#include "cli/argv_table.h"

#include <array>

namespace cli {

namespace {

constexpr const char* writes_file = "would write a file of the caller's choice";
constexpr const char* unknown_here = "is not an option of this sendmail";

constexpr OptionRow option_table[] = {
    {'A', Takes::value, Deed::ignore, "which sendmail.cf: we have none"},
    {'a', Takes::value, Deed::account, "as msmtp has it"},
    {'B', Takes::value, Deed::body, ""},
    {'b', Takes::value, Deed::mode, ""},
    {'C', Takes::value, Deed::refuse,
     "would read a configuration of the caller's choice; set MAILBEARER_CONFIG instead"},
    {'c', Takes::nothing, Deed::ignore, "hold expensive mailers: none here"},
    {'D', Takes::value, Deed::refuse, writes_file},
    {'d', Takes::joined_value, Deed::ignore, "debugging: see -v"},
    {'E', Takes::nothing, Deed::refuse, unknown_here},
    {'e', Takes::value, Deed::error_mode, ""},
    {'F', Takes::value, Deed::full_name, ""},
    {'f', Takes::value, Deed::sender, ""},
    {'G', Takes::nothing, Deed::ignore, "relay submission: the same here"},
    {'h', Takes::value, Deed::ignore, "hop count: Received fields are counted instead"},
    {'I', Takes::nothing, Deed::rebuild, ""},
    {'i', Takes::nothing, Deed::dots_kept, ""},
    {'J', Takes::joined_value, Deed::refuse, unknown_here},
    {'L', Takes::value, Deed::ignore, "syslog tag: the caller's name is not ours to take"},
    {'M', Takes::value, Deed::refuse,
     "sets a macro, or acts on a queue that this sendmail does not keep"},
    {'m', Takes::nothing, Deed::ignore, "me too: always so"},
    {'N', Takes::value, Deed::notify, ""},
    {'n', Takes::nothing, Deed::ignore, "no aliasing: only local names are aliased"},
    {'O', Takes::value, Deed::long_option, ""},
    {'o', Takes::value, Deed::short_option, ""},
    {'p', Takes::value, Deed::ignore, "protocol it came by: kept out of Received on purpose"},
    {'Q', Takes::joined_value, Deed::refuse, "has no queue to put into quarantine"},
    {'q', Takes::joined_value, Deed::queue_run, ""},
    {'R', Takes::value, Deed::return_part, ""},
    {'r', Takes::value, Deed::sender, ""},
    {'S', Takes::joined_value, Deed::refuse, unknown_here},
    {'s', Takes::nothing, Deed::refuse, unknown_here},
    {'T', Takes::nothing, Deed::refuse, unknown_here},
    {'t', Takes::nothing, Deed::from_header, ""},
    {'U', Takes::nothing, Deed::ignore, "SMTPUTF8 is asked for when an address needs it"},
    {'V', Takes::value, Deed::envelope_id, ""},
    {'v', Takes::nothing, Deed::verbose, ""},
    {'X', Takes::value, Deed::refuse, writes_file},
    {'x', Takes::nothing, Deed::ignore, "an old flag of AIX"},
};

constexpr struct {
  char letter;
  const char* why;
} refused_modes[] = {
    {'a', "ARPANET mode is gone"},
    {'d', "this is not a daemon; see mailbearer-agent(8)"},
    {'D', "this is not a daemon; see mailbearer-agent(8)"},
    {'l', "this is not a daemon; see mailbearer-agent(8)"},
    {'e', "would expand what the caller wrote"},
    {'f', "would read a filter file of the caller's choice"},
    {'F', "would read a filter file of the caller's choice"},
    {'t', "there are no address rules to test; see mailbearer config show"},
    {'V', "use --version"},
};

}  // namespace

const OptionRow* find_option(char letter) {
  for (const OptionRow& row : option_table) {
    if (row.letter == letter) return &row;
  }
  return nullptr;
}

const char* refused_mode(char letter) {
  for (const auto& row : refused_modes) {
    if (row.letter == letter) return row.why;
  }
  return nullptr;
}

}  // namespace cli
