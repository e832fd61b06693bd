// crowd_guest: one caller of the crowd, its session and what is still to be sent to it. Internal to
// the crowd.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "submit/crowd.h"

namespace submit {

struct Crowd::Guest {
  Guest(Ticket number, base::Fd fd, const CrowdRules& common, mail::Peer peer)
      : ticket(number), socket(std::move(fd)), rules(common.session) {
    rules.peer = std::move(peer);
    if (common.login_of) rules.peer_login = common.login_of(rules.peer.uid);
    session = std::make_unique<Session>(rules);
  }
  Ticket ticket;
  base::Fd socket;
  SessionRules rules;
  std::unique_ptr<Session> session;
  std::string unsent{};
  std::int64_t last_ms = base::boot_ms();
  std::uint32_t watched = 0;
  std::size_t envelope = 0;  // as counted in envelopes_
  bool active = false;
  bool gone = false;  // nobody hears the verdict
};

}  // namespace submit
