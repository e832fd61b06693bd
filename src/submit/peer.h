// peer: who is at the other end of a Unix socket, as the kernel tells it. Source: unix(7)
// SO_PEERCRED, SO_PEERGROUPS; facts (reliability), finding 4. Errors: Fault::os when the kernel
// does not say, Fault::not_permitted for the overflow uid 65534, behind which anybody may stand.
#pragma once

#include "base/result.h"
#include "mail/submission.h"

namespace submit {

base::Result<mail::Peer> peer_of(int socket);

}  // namespace submit
