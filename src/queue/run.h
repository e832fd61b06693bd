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

#include "base/clock.h"
#include "base/fate.h"
#include "base/result.h"
#include "queue/row.h"
#include "queue/work.h"

namespace queue {

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
  void stop();  // take() yields nothing any more, begin_now() refuses

  // A delivery that does not pass through the queue (`delivery = now`) keeps the same pace. Waits
  // for its turn; Fault::unavailable with retry_after_s when that comes later than `deadline`.
  base::Done begin_now(const std::string& account, uid_t uid, std::size_t recipients,
                       base::Deadline deadline);
  void end_now(const std::string& account, std::size_t recipients,
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

  void set_clock_ms(QueueMs at_ms);  // of a standing one, in tests
  // To be called about once a minute: notices, what was held too long, debris, the clock.
  void tidy();

 private:
  class Inside;
  explicit Queue(std::shared_ptr<Inside> inside);
  std::shared_ptr<Inside> inside_;
};

}  // namespace queue
