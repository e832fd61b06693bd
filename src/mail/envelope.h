// envelope: who sends, who receives: RFC 5321 2.3.1. A plain value.
// Recipients come from arguments and, with -t, from the header: the union, no address twice.
// Source: interface facts 3.5, 3.6. Errors: Fault::bad_message (address, none found).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "mail/address.h"
#include "mail/header.h"

namespace mail {

struct Recipient {
  Mailbox mailbox{};
  std::string notify{};  // "NEVER" or "SUCCESS,FAILURE,DELAY"; empty: not asked (RFC 3461 4.1)
  std::string orcpt{};   // xtext, "rfc822;a@b" (RFC 3461 4.2)
};

enum class Body : std::uint8_t { unsaid, seven_bit, eight_bit };

struct Envelope {
  bool sender_given = false;  // -f, or MAIL FROM
  Mailbox sender{};           // reverse-path; null with sender_given: <>
  std::vector<Recipient> recipients{};
  Body body = Body::unsaid;
  std::string ret{};    // "HDRS", "FULL" or empty (RFC 3461 4.3)
  std::string envid{};  // xtext (RFC 3461 4.4)
  bool smtputf8 = false;
  // identity() of each recipient, kept by add_recipient; who changes `recipients` otherwise clears
  // it. A tree, not a hash: recipients are hostile, and colliding keys would make it quadratic.
  std::set<std::string, std::less<>> known{};
};

// Adds a recipient that is not there yet; false: it is, by same().
bool add_recipient(Envelope& envelope, Recipient recipient);

// Adds one argument, which may be a list; ';' is taken as a separator too. Special forms (|prog,
// /file, :include:, routes) are Fault::bad_message, an argument that says nothing is Fault::usage.
base::Done add_argument(Envelope& envelope, std::string_view argument);

// Adds the recipients that -t finds: those of the newest Resent- block if there is one, else To,
// Cc, Bcc. The newest block (RFC 5322 3.6.6: blocks are put on top, whole, each field at most once
// in a block) is the first run of Resent- fields from the top, up to any other field or to a name
// that the run already holds. A torn word (address.h) beside an address is not taken. Nobody in the
// envelope afterwards: Fault::bad_message.
base::Done add_header_recipients(Envelope& envelope, const Header& header);

// RFC 3461 4: xtext of any text; whether a text is xtext.
std::string to_xtext(std::string_view text);
bool is_xtext(std::string_view text);

}  // namespace mail
