// run: the queue of an agent, for many threads: accept, take, settle, and what a person may do.
// It decides when which message is tried, by which pace, and what becomes of it; it delivers
// nothing itself. The life of a message:
//   accept()  it is on disk and ours
//   take()    a worker gets it; the first time it is not resolved yet: the worker chooses the
//             account, prepares, and calls resolve(), which writes both down
//   mark()    before the last byte of it leaves (the final dot, the last chunk, the POST's end):
//   from
//             here on a crash leaves it unknown. An error: nothing may be sent
//   settle()  one fate per recipient: it goes, waits, is held, or bounces
// Thread-safe: one mutex, and no file is touched while it is held. Errors are returned; what a
// person should hear is told as an Event, outside of the mutex, by the thread that met it.
// Units: seconds and milliseconds of queue time; at_s and such are dates of the wall clock.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "account/configuration.h"
#include "base/clock.h"
#include "base/fate.h"
#include "base/result.h"
#include "mail/prepare.h"
#include "mail/rewrite.h"
#include "mail/submission.h"
#include "queue/pace.h"
#include "queue/progress.h"
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
  struct Inside;
  std::shared_ptr<Inside> inside{};
};

struct Settled {
  enum class Next : std::uint8_t { gone, waits, held };
  Next next = Next::waits;
  std::int64_t next_in_s = 0;
  std::string bounce{};  // the id of the bounce that was made
};

struct RecipientRow {
  std::string address{};
  State state = State::waiting;
  base::Error error{};
};
struct Row {
  std::string id{};
  std::string account{};
  uid_t uid = 0;
  std::int64_t at_s = 0;
  std::uint64_t bytes = 0;
  std::string sender{};
  std::vector<RecipientRow> recipients{};
  unsigned attempts = 0;
  bool active = false;  // a worker has it
  bool bounce = false;
  Hold hold = Hold::none;
  std::string why{};            // held, or the last reply
  std::int64_t next_in_s = -1;  // -1: not by itself
};
struct AccountRow {
  std::string name{};
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t active = 0;
  std::int64_t oldest_s = 0;
  bool held = false;
  std::int64_t held_s = 0;
  base::Error why{};
  std::int64_t paused_s = 0;  // the provider, or the way to it, asks for patience
};
struct Status {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t held = 0;     // single messages
  std::uint64_t unknown = 0;  // messages with a recipient whose reply was lost
  std::int64_t oldest_s = 0;
  bool unwritable = false;
  std::vector<AccountRow> accounts{};
};

// Whose messages are meant: those of one uid, or all.
using Whose = std::optional<uid_t>;
struct Released {
  std::uint64_t messages = 0;
  std::int64_t oldest_s = 0;
};

class Queue {
 public:
  // Opens the folder, locks it and scans it. Nothing is due before set_accounts().
  static base::Result<std::unique_ptr<Queue>> open(Options options);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // At start and at reload. Mail of an account that is not named any more waits as if held. What
  // waits for want of an account is due again.
  void set_accounts(std::vector<AccountFacts> accounts);

  // `account`: that it will leave by, as far as can be told now; empty: held until there is one.
  base::Result<Accepted> accept(const mail::Submission& submission, const std::string& account);

  // The next that may go, now or within `wait_ms`; nothing when there is none, or after stop().
  std::optional<Work> take(std::int64_t wait_ms);
  base::Done resolve(Work& work, const std::string& account, const mail::Prepared& prepared);
  // `first`, `count`: of work.message's recipients, where they leave in several transactions.
  base::Done mark(Work& work);
  base::Done mark(Work& work, std::size_t first, std::size_t count);
  // Fates in the order of work.message's recipients.
  Settled settle(Work work, const std::vector<base::Fate>& fates);
  // One error for all of them: no account, prepare() refused, mark() failed.
  Settled settle(Work work, const base::Error& error);
  void stop();  // take() yields nothing any more

  // A delivery that does not pass through the queue (`delivery = now`) keeps the same pace. Waits
  // for its turn; Fault::unavailable with retry_after_s when that comes later than `deadline`.
  base::Done begin_now(const std::string& account, uid_t uid, std::size_t recipients,
                       base::Deadline deadline);
  void end_now(const std::string& account, uid_t uid, std::size_t recipients,
               const std::vector<base::Fate>& fates);

  // What a person may do. Fault::usage: an id that is not there, or is another's.
  base::Done hold(const std::string& id, Whose whose);
  base::Done release(const std::string& id, Whose whose);
  base::Done retry(const std::string& id, Whose whose);  // now; one that is not held
  base::Done remove(const std::string& id, Whose whose);
  std::uint64_t retry_all(Whose whose, const std::string& account);  // empty: every account
  // After login: the account works again.
  Released release_account(const std::string& account);
  base::Result<Row> show(const std::string& id, Whose whose) const;
  // In the order of arrival; `take` false: enough. Files are read one at a time.
  void list(Whose whose, const std::function<bool(const Row& row)>& take) const;
  Status status() const;

  // To be called about once a minute: notices, what was held too long, debris, the clock.
  void tidy();

 private:
  struct Inside;
  explicit Queue(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace queue
