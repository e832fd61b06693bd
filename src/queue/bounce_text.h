// bounce_text: the words of a bounce, for people and for programs. Internal to the room. Lines end
// in CRLF, none is over 998 octets; what servers said is cleaned.
#pragma once

#include <string>

#include "queue/bounce.h"

namespace queue {

// `inside`: for who runs this host: with our own sentence, its cure and the account.
std::string words_for_people(const BounceFacts& facts, const mail::SenderRules& rules, bool inside);
// RFC 3464 2: the fields of the message, and those of each recipient.
std::string status_part(const BounceFacts& facts, const mail::Envelope& envelope,
                        const mail::SenderRules& rules);
std::string summary_row(const Told& told, bool inside);

}  // namespace queue
