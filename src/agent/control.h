// control: the second socket of the standing agent, for `mailq` and `mailbearer`: one request a
// line, answers as SMTP replies whose lines hold JSON. Source: design section 2. By peer uid: own
// messages; root, the agent's own user and the group `mailbearer` all, and what concerns accounts.
//   XQUEUE list | mailq | show ID | hold ID | release ID | retry ID | retry * | remove ID
//   XSTATUS            XRELEASE ACCOUNT            XRELOAD
//   XSECRET set ACCOUNT KIND BYTES, then as many bytes | clear ACCOUNT KIND | status [ACCOUNT]
// Replies: 250-JSON lines, then "250 x=0"; else "5yz SENTENCE x=EXIT". Limits: a line of 1 KiB, 10
// s a request and a minute a visit, 16 callers at once and 4 of one uid; root has 4 places of its
// own. Trusts: the kernel about the
// peer, nothing else. Owns: its thread and its socket.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "agent/pool.h"
#include "agent/surroundings.h"
#include "base/secret.h"
#include "mail/submission.h"
#include "net/stream.h"
#include "queue/run.h"

namespace agent {

struct ControlDoors {
  queue::Queue* queue = nullptr;
  const InForce* in_force = nullptr;
  const Surroundings* around = nullptr;
  std::function<void()> reload{};                              // the configuration, at once
  std::function<void(const std::string& account)> released{};  // secrets changed: forget sessions
};

class Control {
 public:
  Control(base::Fd listener, ControlDoors doors);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

 private:
  void serve_all();
  void welcome(base::Fd socket);
  void serve(base::Fd socket, const mail::Peer& peer);
  void converse(net::FdStream& stream, const mail::Peer& peer) const;
  bool has_place_locked(uid_t uid) const;
  bool enter(int socket);
  void leave(int socket);

  base::Fd listener_;
  base::Fd bell_;
  ControlDoors doors_;
  std::mutex lock_{};
  std::map<uid_t, int> callers_{};
  std::set<int> sockets_{};  // of those who are being served
  bool over_ = false;
  Pool pool_;
  std::thread thread_{};
};

// One request and its answer; apart from the sockets, for tests. `more` yields the bytes that
// follow XSECRET.
struct Asked {
  std::string line{};
  mail::Peer peer{};
  bool may_all = false;
  std::function<base::Result<base::Secret>(std::size_t bytes)> more{};
};
// Lines go to `put` one after the other; the last line is the result.
std::string answer_request(const ControlDoors& doors, const Asked& asked,
                           const std::function<bool(const std::string& line)>& put);

}  // namespace agent
