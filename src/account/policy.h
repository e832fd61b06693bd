// policy: which local users an account is for. Internal to the room. Source: design section 3,
// allow_users and default_for. Words: a user's name, #uid, @group, and @listen for a peer over TCP.
// Names are looked up with getpwnam and getgrnam, and only when a list names them. Groups of a
// peer: those the kernel told, and those of the user database.
#pragma once

#include <string>
#include <vector>

#include "account/account.h"
#include "mail/submission.h"

namespace account {

bool is_listed(const std::vector<std::string>& list, const mail::Peer& peer);
// allow_users admits the peer: everyone when empty; root always.
bool admits(const Account& account, const mail::Peer& peer);

// How the peer is called in texts, and as a word of allow_users: "backup", "#1234", "@listen".
std::string peer_word(const mail::Peer& peer);

}  // namespace account
