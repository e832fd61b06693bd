// test_message: one message through the real path: the installed sendmail as any program would call
// it, with the account named. Answers with the id under which the provider took it: the one in its
// final reply, Graph's request id, else our own Message-ID. Errors: what sendmail said, with the
// fault of its exit code.
#pragma once

#include <string>

#include "account/account.h"
#include "base/result.h"
#include "verb/place.h"

namespace verb {

base::Result<std::string> send_test_message(const Place& place, const account::Account& account,
                                            const std::string& to);

// From the lines that `sendmail -v` writes; empty: none in them. Pure.
std::string accepted_id(const std::string& trace);
// Whether the message itself went to a server in that trace; false: at best, a queue has it. Pure.
bool has_left(const std::string& trace);

}  // namespace verb
