// address: mailboxes and address lists.
// Source: RFC 5321 4.1.2 (mailbox), RFC 5322 3.4 and 4.4 (lists, groups, comments, obsolete
// routes), RFC 6531/6532 (UTF-8). Errors: Fault::bad_message naming the piece that cannot be read.
// Limits: local part 256 octets (RFC 5321 asks for 64), domain 255, a list 1 MiB, nesting of
// comments 32; no recursion, linear time. Trusts: nothing. A Mailbox that came out of here holds no
// control byte and is fit for RCPT TO:<…>.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mail {

struct Mailbox {
  std::string local{};   // as meant, without quotes; text() quotes when it must
  std::string domain{};  // empty: unqualified ("root")
  bool null() const { return local.empty() && domain.empty(); }
  bool qualified() const { return !domain.empty(); }
  bool ascii() const;
  std::string text() const;  // local@domain, or local alone; "" when null
};

// Domain without regard to case (and to a trailing dot), local part exactly.
bool same(const Mailbox& a, const Mailbox& b);
// A text that is equal for two mailboxes exactly when same() holds: for sets.
std::string identity(const Mailbox& mailbox);

// |program, /file and :include:list: what old mailers took for more than an address. No such kinds
// exist here.
bool is_special_form(const Mailbox& mailbox);

// "=?utf-8?Q?Team" of: =?utf-8?Q?Team,_A?= <a@b>. RFC 2047 section 5 forbids the comma there, but
// mailers write it; what stands before it is part of a name, not a login name.
bool is_torn_word(const Mailbox& mailbox);

struct Address {
  Mailbox mailbox{};
  std::string phrase{};   // display name as meant: quotes gone, RFC 2047 words left as they are
  std::string comment{};  // the text of the last comment: "Cron Daemon" of: root (Cron Daemon)
  std::string group{};    // name of the group it stands in
};

// Where a list stands. In a header folds are white space and an obsolete route (<@a,@b:c@d>) is
// read as its last part; in an argument both are refused.
enum class Written : std::uint8_t { in_header, in_argument };

// Any number of addresses; an empty list, and groups without members, are fine and yield none. ';'
// separates as ',' does. Read leniently, as callers write: dots anywhere in a local part and in a
// phrase, '@' in a phrase before "<", one backslash before an address.
base::Result<std::vector<Address>> parse_address_list(std::string_view text,
                                                      Written written = Written::in_header);

// Exactly one mailbox as in argv's -f or MAIL FROM: "", "<>" are null; "a@b", "<a@b>", "Name
// <a@b>".
base::Result<Mailbox> parse_reverse_path(std::string_view text);

// One mailbox and nothing else ("a@b"), for configuration and RCPT TO.
base::Result<Mailbox> parse_mailbox(std::string_view text);

// A phrase fit for a header: as atoms, or quoted; control bytes become blanks. Not RFC 2047: see
// mime.h.
std::string quote_phrase(std::string_view phrase);

}  // namespace mail
