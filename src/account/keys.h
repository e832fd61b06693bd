// keys: the table of every key: where it may stand, what it takes, its default, and which field of
// Account it fills. Data; a new key is a new row (and a paragraph of man/mailbearer.conf.5, which a
// test compares). Source: design section 3.
// Errors: complaint() answers a clause such as "is not a number from 1 to 65535"; empty: sound.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "account/account.h"

namespace account {

// Where a key may stand; added up.
enum Place : unsigned {
  in_main = 1,      // [mailbearer]
  in_account = 2,   // [account NAME]
  in_provider = 4,  // a section of providers.conf
};

enum class Kind : std::uint8_t {
  text,
  name,       // letters, digits and . _ -
  words,      // split at blanks
  senders,    // addresses and patterns: a@b *@b *
  peers,      // users, #uids, @groups
  address,    // one mailbox with a domain
  addresses,  // words, each an address
  number,
  port,
  duration,  // 90s 5m 4h 5d 2w
  size,      // 64k 35M 1G
  flag,      // yes | no
  choice,
  path,     // absolute
  url,      // https, or http to this very machine; no password in it
  proxy,    // http or https URL without password
  host,     // name or address
  listen,   // address:port
  command,  // words, the first an absolute path
  share,    // 1/40 or 0.025
  date,     // 2027-01-31
  log,      // journal | syslog | stderr | none | an absolute path
};

using Slot =
    std::variant<std::monostate, std::string Account::*, std::vector<std::string> Account::*,
                 std::int64_t Account::*, std::uint16_t Account::*, bool Account::*,
                 double Account::*, void (*)(Account&, std::size_t choice)>;

struct Key {
  std::string_view name;
  unsigned places;
  Kind kind;
  std::string_view preset{};   // the default, as one would write it; empty: none
  std::string_view choices{};  // "smtp|graph", for Kind::choice
  bool repeatable = false;     // lists: every occurrence adds words
  Slot slot{};
};

std::span<const Key> all_keys();
const Key* find_key(std::string_view name);
std::vector<std::string> key_names(unsigned places);

// Why a value does not fit; empty when it does.
std::string complaint(const Key& key, const std::string& value);
// Puts a sound value into the field of its key.
void apply(const Key& key, const std::string& value, Account& account);

// Of a value that Kind::flag found sound.
bool flag_of(const std::string& value);

// localhost, 127.0.0.0/8, ::1.
bool is_loopback_name(std::string_view host);

}  // namespace account
