// log_line: what the log says of one attempt to deliver, as names and values. Pure.
// Source: design section 7, in the manner of Postfix's smtp(8) lines; man/mailbearer.conf.5,
// LOGGING. Recipients with one fate share a line, at most 20 on each. Values are cleaned (no
// control byte, each bounded), so that no reply and no address can forge a second line or field.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "account/account.h"
#include "base/fate.h"

namespace report {

enum class Addresses : std::uint8_t {
  full,
  hashed,  // the first 16 digits of the SHA-256 of the address in lower case
  none,
};
// The word of `log_addresses`.
Addresses addresses_of(const std::string& word);

struct Attempt {
  std::string id{};
  uid_t uid = 0;                              // who submitted it
  std::string sender{};                       // reverse-path; empty: <>
  const account::Account* account = nullptr;  // null: none was found for it
  const std::vector<base::Fate>* fates = nullptr;
  std::uint64_t size_bytes = 0;  // as it left; 0: not known
  // Of the delay, in milliseconds: choosing and preparing, waiting for a turn, for the token, and
  // the dialogue.
  std::int64_t before_ms = 0;
  std::int64_t waited_ms = 0;
  std::int64_t token_ms = 0;
  std::int64_t dialogue_ms = 0;
  std::string next{};               // the account that goes on with it
  std::string client_request_id{};  // of Graph
  std::string request_id{};
};

struct LogLine {
  bool good = false;    // sent: information; else a warning
  bool urgent = false;  // a person is needed: an error
  std::vector<std::pair<std::string, std::string>> fields{};
  std::string text() const;  // name=value name="value with blanks" ...
};

// For what befell the message before any recipient was thought of.
base::Fate fate_of_all(const base::Error& error);

std::vector<LogLine> lines_of(const Attempt& attempt, Addresses addresses);

}  // namespace report
