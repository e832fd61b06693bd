// crowd: many sessions at once on one listening Unix socket, by one thread and epoll. A whole
// message goes to `take`, which must not block; its verdict comes back by answer(), from any
// thread. Source: design section 2; facts (reliability) C1, C2, finding 4. Peers by SO_PEERCRED and
// SO_PEERGROUPS. Limits: `active_per_uid` sessions of one uid are read, its others wait unread;
// over `connections` the greediest uid's longest idle session is closed; a session that says
// nothing for `idle_ms` is closed; over `envelope_bytes` the heaviest uid's heaviest one goes. A
// hostile caller loses its own connections and nobody else's. Owns: the listening socket. Errors:
// of the listening socket and epoll.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "submit/session.h"

namespace submit {

struct CrowdRules {
  SessionRules session{};            // the peer is filled in for each connection
  std::size_t connections = 20'000;  // lowered to what the process may open
  std::size_t active_per_uid = 64;
  std::size_t envelope_bytes = std::size_t{64} << 20;  // recipients of all sessions, in memory
  std::size_t active_in_all = 256;  // each holds up to 64 KiB of its message in memory
  std::int64_t idle_ms = 30'000;
  // The login name of a uid: MAIL FROM of it alone is no chosen sender. Called by run() only.
  std::function<std::string(uid_t uid)> login_of{};
  std::int64_t drain_ms = 30'000;  // after stop(), for verdicts still to come
};

class Crowd {
 public:
  using Ticket = std::uint64_t;
  // Called by run(): the session's ticket, what it brought, and what it asks for.
  using Take = std::function<void(Ticket ticket, mail::Submission submission, Wishes wishes)>;

  Crowd(base::Fd listener, CrowdRules rules, Take take);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Serves until stop(): then takes nobody new, waits for verdicts that are due, and returns.
  base::Done run();
  // From any thread.
  void answer(Ticket ticket, Verdict verdict);
  void trace(Ticket ticket, std::string line);
  void stop();

 private:
  struct Guest;
  struct Uid {
    std::size_t connections = 0;
    std::size_t active = 0;
    std::deque<Ticket> waiting{};  // to be read
  };
  struct Word {  // from another thread
    Ticket ticket;
    Verdict verdict;
    std::string trace;
    bool final;
  };

  base::Done prepare();
  void admit();
  void listen_again(bool listens);
  bool make_room();
  bool part_heaviest();
  void welcome(base::Fd socket);
  void activate(Guest& guest);
  void serve(Guest& guest, std::uint32_t events);
  void hear(Guest& guest);
  void after(Guest& guest);
  bool flush(Guest& guest);
  void watch(Guest& guest, std::uint32_t events);
  void part(Ticket ticket);
  bool may_be_active(const Uid& whose) const;
  bool fill_place();
  void pass_words_on();
  void post(Word word);
  void wake() const;
  void part_idle();
  bool drained() const;

  base::Fd listener_;
  CrowdRules rules_;
  Take take_;
  base::Fd epoll_;
  base::Fd bell_;  // eventfd: another thread has something to say
  std::map<Ticket, std::unique_ptr<Guest>> guests_;
  std::map<std::uint32_t, Uid> uids_;
  std::size_t active_ = 0;
  bool listens_ = true;
  std::size_t envelopes_ = 0;   // bytes of all recipients
  std::uint32_t last_uid_ = 0;  // whose turn it was
  Ticket last_ticket_ = 0;
  std::mutex words_lock_;
  std::vector<Word> words_;
  std::atomic<bool> stopping_ = false;
};

// A listening Unix socket at `path`, made with `mode`; a dead one of an agent that is gone is
// replaced, a living one is Fault::config.
base::Result<base::Fd> listen_at(const std::string& path, unsigned mode);

// Whether the kernel tells us peers as they are: a service in a user namespace of its own sees
// every peer as 65534 (finding 4). Fault::config.
base::Done judge_peer_credentials();

}  // namespace submit
