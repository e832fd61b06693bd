// standing: the agent that stays: callers on a Unix socket, a queue, workers that deliver, a person
// who asks on a second socket. Source: design sections 2 and 6. What `delivery` says decides when a
// caller hears: at once, when the message is on disk and ours (queue), or when the provider has
// spoken (now). Threads: one for all callers, some that commit, some that deliver now, some that
// deliver from the queue, one that serves the second socket, and the main one, which keeps time
// and takes signals. Owns: the spool. Errors: of the start; afterwards everything is told to the
// log.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/control.h"
#include "agent/network_door.h"
#include "agent/notice.h"
#include "agent/pool.h"
#include "agent/service.h"
#include "agent/surroundings.h"
#include "queue/run.h"
#include "report/log.h"
#include "submit/crowd.h"
#include "transport/connections.h"
#include "transport/known_servers.h"
#include "walk/one_message.h"

namespace agent {

class Standing {
 public:
  static base::Result<std::unique_ptr<Standing>> start(const Surroundings& around);
  ~Standing();
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;

  // Until SIGTERM or SIGINT, then until what is under way has ended; a second one ends it at once.
  // SIGHUP reads the configuration anew. The exit code.
  int run();

 private:
  explicit Standing(const Surroundings& around);
  using Ticket = submit::Crowd::Ticket;
  using Shared = std::shared_ptr<mail::Submission>;

  base::Done open_spool();
  base::Done open_sockets();
  void reload(bool at_once);
  void tell_of_fault();

  // Who waits for a verdict, and hears the dialogue if it wants to.
  struct Caller {
    std::function<void(submit::Verdict verdict)> answer{};
    base::Trace trace{};
  };
  Caller caller_of(Ticket ticket);
  base::Done open_network();
  std::string admit(const std::string& name, const base::Secret& password) const;
  submit::Verdict take_from_network(mail::Submission submission);
  void judge(const Caller& caller, const Shared& submission, submit::Wishes wishes);
  submit::Verdict keep(const mail::Submission& submission, const std::string& account);
  submit::Verdict deliver_now(std::size_t thread, const SharedConfiguration& configuration,
                              const account::Account& account, const Shared& submission,
                              submit::Wishes wishes, const base::Trace& trace);
  walk::Stage stage(net::HelperProgram& helper, const account::Configuration& configuration) const;

  void deliver_queued();
  void deliver(net::HelperProgram& helper, queue::Work work);
  void heed(const queue::Event& event);
  int wait_for_signals();
  void drain();

  const Surroundings& around_;
  InForce in_force_;
  std::mutex reloading_{};
  std::string told_fault_{};  // the last fault of the configuration that the log has heard
  Service service_;
  std::unique_ptr<Notices> notices_{};
  std::unique_ptr<queue::Queue> queue_{};
  base::Fd control_listener_{};
  transport::KnownServers known_{};
  mutable transport::Connections connections_{known_};
  std::unique_ptr<submit::Crowd> crowd_{};
  std::unique_ptr<Control> control_{};
  std::unique_ptr<NetworkDoor> network_{};
  std::unique_ptr<Pool> commits_{};
  std::unique_ptr<Pool> immediate_{};
  std::vector<std::unique_ptr<net::HelperProgram>> helpers_{};  // of immediate_
  std::vector<std::thread> workers_{};
  std::thread crowd_thread_{};
  std::atomic<bool> crowd_failed_ = false;
  std::atomic<bool> ending_ = false;
};

}  // namespace agent
