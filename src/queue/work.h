// work: what the queue and its workers hand each other: limits, accounts, deliveries, events. Plain
// values; run.h says what is done with them. Units: seconds; at_s are dates of the wall clock.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "account/configuration.h"
#include "base/error.h"
#include "mail/prepare.h"
#include "mail/rewrite.h"
#include "mail/submission.h"
#include "queue/pace.h"
#include "queue/retry.h"

namespace queue {

struct Limits {
  std::uint64_t messages = 200'000;
  std::uint64_t bytes = std::uint64_t{16} << 30;
  std::uint64_t user_messages = 10'000;  // of one uid but root's
  std::uint64_t user_bytes = std::uint64_t{1} << 30;
  std::uint64_t homeless_messages = 1000;  // while there is no account for them
  std::uint64_t homeless_bytes = std::uint64_t{64} << 20;
  std::uint64_t floor_bytes = std::uint64_t{256} << 20;  // of the disk, kept for root
  std::uint64_t floor_files = 1000;
};

// What the queue needs to know of an account.
struct AccountFacts {
  std::string name{};
  std::int64_t max_connections = 0;  // 0: 2
  PaceLimits pace{};
  Patience patience{};
  mail::SenderRules rules{};  // for bounces
  bool broken = false;        // its section is faulty: its mail waits, nothing is told
};
AccountFacts account_facts(const account::Configuration& configuration,
                           const account::Account& account);

struct Event {
  enum class Kind : std::uint8_t {
    damaged,        // a file was moved to damaged/
    newer,          // files of a later version are left alone
    account_held,   // an account needs a person; at once, then once a day while mail waits
    account_freed,  // it works again, or was released: how many, how old
    held,           // one message waits for a person
    bounced,        // a bounce was made
    delayed,        // a delay warning was made
    summarised,     // many failures were told in one
    undeliverable,  // nobody can be told, or nobody takes the bounce: kept, held
    dropped,        // kept for hold_for, now gone
    unwritable,     // the spool cannot be written: nothing is sent until it can
    writable,
  };
  Kind kind{};
  std::string id{};
  std::string account{};
  std::string text{};  // one line, clean
  base::Error error{};
  std::uint64_t count = 0;    // messages
  std::int64_t oldest_s = 0;  // age
};

struct Options {
  std::string folder{};
  Limits limits{};
  std::size_t workers = 8;               // deliveries at once, of all accounts
  std::int64_t bounce_interval_s = 600;  // one a sender and cause
  std::function<void(const Event& event)> tell{};
  std::optional<QueueMs> standing_clock{};  // for tests
};

struct Accepted {
  std::string id{};
  bool repeated = false;  // it was here, or was delivered, already
  bool held = false;      // no account, or one that needs a person
};

// One delivery, for one worker. What it holds belongs to the worker until settle().
struct Work {
  std::string id{};
  std::string account{};  // empty: none was known when it came
  bool resolved = false;
  mail::Submission submission{};  // not resolved: choose, prepare, resolve()
  mail::Prepared message{};       // resolved: to those recipients that are due
  std::int64_t at_s = 0;
  uid_t uid = 0;
  unsigned attempt = 1;
  bool maybe_duplicate = false;  // a final reply was lost before: log it
  bool more_to_come = false;     // the account has more that is due
  std::int64_t age_s = 0;
  // What the worker says of its delivery: false where the provider was not asked for delivery
  // notices (no DSN there, Graph): then a sender who asked to hear of success hears that it was
  // handed on.
  bool notices_passed_on = true;
  struct Inside;
  std::shared_ptr<Inside> inside{};
};

struct Settled {
  enum class Next : std::uint8_t { gone, waits, held };
  Next next = Next::waits;
  std::int64_t next_in_s = 0;
  std::string bounce{};  // the id of the bounce that was made
};

}  // namespace queue
