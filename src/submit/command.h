// command: one ESMTP command line taken apart. Source: RFC 5321 4.1.1, 4.1.2. Trusts: nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "mail/address.h"
#include "mail/envelope.h"

namespace submit {

struct Command {
  std::string verb{};  // upper case
  std::string rest{};  // after the verb and its blank
};
Command split_command(std::string_view line);

struct Path {
  mail::Mailbox mailbox{};
  std::vector<std::pair<std::string, std::string>> parameters{};  // names in upper case
};
// "FROM:<a@b> SIZE=1 BODY=8BITMIME": `word` is FROM or TO. Blanks after the colon are borne.
base::Result<Path> parse_path(std::string_view rest, std::string_view word);

// The private parameters of X-MAILBEARER 1.
struct Private {
  std::string id{};
  std::string account{};
  bool trace = false;
  bool wait = false;
  bool verify = false;  // tell what would become of it, as trace; send nothing
};

// own_allowed: those of X-MAILBEARER 1 are known here.
base::Done take_mail_parameters(const Path& path, bool own_allowed, mail::Envelope& envelope,
                                Private& own, std::uint64_t& declared_size);
base::Done take_rcpt_parameters(const Path& path, mail::Recipient& recipient);

// xtext to text (RFC 3461 4); false when malformed.
bool from_xtext(std::string_view xtext, std::string& text);

}  // namespace submit
