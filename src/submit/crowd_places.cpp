// Whose turn it is in the crowd, and who goes when there is not enough for all.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "submit/crowd_guest.h"

namespace submit {

// Closes the longest idle session of the uid that has most. False: nobody is idle.
bool Crowd::make_room() {
  const Guest* worst = nullptr;
  std::size_t most = 0;
  for (const auto& [ticket, guest] : guests_) {
    if (!guest->session->idle()) continue;
    const std::size_t connections = uids_[guest->rules.peer.uid].connections;
    const bool worse = worst == nullptr || connections > most ||
                       (connections == most && guest->last_ms < worst->last_ms);
    if (!worse) continue;
    worst = guest.get();
    most = connections;
  }
  if (worst == nullptr) return false;
  part(worst->ticket);
  return true;
}

// Of the uid whose recipients take most memory, the session that has most. False: all are being
// judged.
bool Crowd::part_heaviest() {
  std::map<std::uint32_t, std::size_t> sums;
  for (const auto& [ticket, guest] : guests_) sums[guest->rules.peer.uid] += guest->envelope;
  const Guest* worst = nullptr;
  for (const auto& [ticket, guest] : guests_) {
    if (guest->session->waits() || guest->envelope == 0) continue;
    const auto weight = [&](const Guest& one) {
      return std::pair(sums[one.rules.peer.uid], one.envelope);
    };
    if (worst == nullptr || weight(*guest) > weight(*worst)) worst = guest.get();
  }
  if (worst == nullptr) return false;
  part(worst->ticket);
  return true;
}

void Crowd::part(Ticket ticket) {
  const auto found = guests_.find(ticket);
  if (found == guests_.end()) return;
  const std::uint32_t uid = found->second->rules.peer.uid;
  const bool was_active = found->second->active;
  envelopes_ -= found->second->envelope;
  guests_.erase(found);  // closes the socket, which leaves epoll with it
  Uid& whose = uids_[uid];
  --whose.connections;
  if (was_active) --whose.active;
  if (was_active) --active_;
  if (whose.connections == 0) {
    uids_.erase(uid);
  } else if (whose.waiting.size() > 2 * whose.connections + 64) {
    // Whoever comes and goes without end leaves no more than a few tickets behind.
    std::erase_if(whose.waiting, [this](Ticket one) { return !guests_.contains(one); });
  }
}

bool Crowd::may_be_active(const Uid& whose) const {
  return whose.active < rules_.active_per_uid && active_ < rules_.active_in_all;
}

// A place that is free is for the next uid in turn that waits for one. False: nobody takes one.
bool Crowd::fill_place() {
  auto uid = uids_.upper_bound(last_uid_);
  for (std::size_t looked = 0; looked < uids_.size(); ++looked, ++uid) {
    if (uid == uids_.end()) uid = uids_.begin();
    Uid& whose = uid->second;
    while (!whose.waiting.empty() && may_be_active(whose)) {
      const auto guest = guests_.find(whose.waiting.front());
      whose.waiting.pop_front();
      if (guest == guests_.end()) continue;
      last_uid_ = uid->first;
      activate(*guest->second);
      return true;
    }
  }
  return false;
}

void Crowd::part_idle() {
  const std::int64_t now = base::boot_ms();
  std::vector<Ticket> idle;
  for (const auto& [ticket, guest] : guests_) {
    const bool owed = guest->session->waits();
    // Who waits to be read is no idler: its turn comes.
    if (!owed && guest->active && now - guest->last_ms > rules_.idle_ms) idle.push_back(ticket);
  }
  for (const Ticket ticket : idle) part(ticket);
}

}  // namespace submit
