// error: what went wrong, for one message or one process.
// Keeps apart: the fault (which exit code), its class (retry, refuse or wait for a person), our own
// sentence and cure, the server's words, and errno. Sentences hold no secret and no control byte.
// Source: sysexits(3) for the codes, which report/exit_code owns; design section 2 for the classes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace base {

enum class Fault : std::uint8_t {
  usage,            // the command line
  bad_message,      // message or address; no recipient; too big; content refused
  bad_recipient,    // a recipient is unknown or refused
  unavailable,      // not sent, nothing kept, try again
  outcome_unknown,  // the final reply was lost: may have been delivered
  bug,              // our own mistake
  os,               // fork, memory, descriptors
  cannot_create,    // a file of ours cannot be made
  io,               // reading or writing a file or standard input
  protocol,         // the peer does not speak the protocol
  not_permitted,    // sender or policy
  config,           // configuration file or its permissions
  sign_in_needed,   // the account needs a person: dead token, expired secret, missing consent
};

// permanent: this message never; temporary: try again; hold: the message is sound, the account
// needs a person.
enum class FaultClass : std::uint8_t { permanent, temporary, hold };

FaultClass class_of(Fault fault);

struct Error {
  Fault fault = Fault::bug;
  FaultClass kind = FaultClass::permanent;
  std::string cause{};    // one clause, lower case, no full stop: "sign-in expired (AADSTS700082)"
  std::string cure{};     // what to type or do next: "run: mailbearer login work"
  std::string account{};  // the account it happened to, or empty
  std::string said{};     // the server's own words, cleaned; empty: no server spoke
  std::string status{};   // RFC 3463 "5.7.1" when one is known
  int sys = 0;            // errno, or 0
  std::int64_t retry_after_s = 0;  // seconds the server asked us to wait; 0: not said
};

// An error with the class that its fault has by default.
Error failure(Fault fault, std::string cause, std::string cure = {});
// The same, with errno named in the cause: "cannot open /etc/x: Permission denied".
Error failure_errno(Fault fault, const std::string& doing, int sys);

}  // namespace base
