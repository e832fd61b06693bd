// argv: sendmail's command line. The option table is data (argv_table.cpp): each letter with its
// argument rule and what is done with it: honoured, accepted and ignored, or refused, with the
// reason. Source: design section 2; interface facts 3.2-3.4, R8, R20-R26. Errors: Fault::usage
// (64), Fault::bad_message (65, -f). Trusts: nothing. No option names a file that is read, written
// or run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "mail/envelope.h"
#include "mail/read.h"

namespace cli {

enum class Mode : std::uint8_t {
  deliver,
  speak_smtp,  // -bs
  verify,      // -bv
  list_queue,  // -bp, mailq
  rebuild,     // -bi, -I, newaliases: there is no database to build
  run_queue,   // -q, runq
  show_version,
  show_help,
};

struct Request {
  Mode mode = Mode::deliver;
  mail::Dots dots = mail::Dots::rule;
  bool recipients_from_header = false;     // -t
  std::optional<mail::Mailbox> sender{};   // -f, -r: the last one; null() for <>
  std::optional<std::string> full_name{};  // -F
  std::string account{};                   // --account, -a: the first one
  bool wait = false;                       // --wait: for the provider's verdict
  std::string notify{};                    // -N as RFC 3461 writes it
  std::string ret{};                       // -R
  std::string envid{};                     // -V, xtext
  mail::Body body = mail::Body::unsaid;    // -B
  bool verbose = false;
  bool quiet = false;  // -oeq: nothing on stderr; the exit code still tells
  bool any_argument = false;
  std::vector<std::string> operands{};
};

base::Result<Request> parse_argv(int argc, const char* const* argv);

// Whether -bs stands among the arguments, however the rest of them may be: who wrote it reads
// standard output as SMTP.
bool asks_for_smtp(int argc, const char* const* argv);

std::string usage_text();

}  // namespace cli
