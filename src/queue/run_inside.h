// run_inside: what run.h hides. Internal to the room. One mutex guards the desk, the past ids, the
// storms and the flags; the spool is touched without it, by the one thread that has the message
// (Entry::active). `locked` in a name: its caller holds the mutex.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "queue/bounce.h"
#include "queue/clock.h"
#include "queue/desk.h"
#include "queue/notes.h"
#include "queue/past_ids.h"
#include "queue/run.h"
#include "queue/spool.h"
#include "queue/storm.h"

namespace queue {

struct Work::Inside {
  Slot slot = 0;
  Stored stored{};
  Indices recipients{};        // of this attempt
  std::string pending{};       // notes that are not on disk yet
  std::uint64_t seen_end = 0;  // of the file, before the notes of settle()
  bool on_the_books = false;   // its account's pace counts it
  std::uint32_t account = 0;
  std::size_t counted_on = 0;  // recipients that the pace was asked for
  bool marked = false;         // something may have been sent
  bool write_failed = false;
  bool moved = false;      // to another account, which may not start it yet
  bool announced = false;  // that it is held
};
using Held = std::shared_ptr<Work::Inside>;

base::Error no_such_message(const std::string& id);

class Queue::Inside {
 public:
  Inside(Options options, Spool spool);
  ~Inside();
  base::Done scan();

  // run.cpp, run_take.cpp
  QueueMs now_ms() const { return clock_.now_ms(); }
  void tell(const Event& event) const;
  std::optional<Slot> wait_for_slot(base::Deadline deadline);
  std::optional<Work> open_work(Slot slot);
  std::optional<Work> work_of(const Held& held);
  static base::Result<mail::Header> header_of(const std::string& text);
  base::Result<Held> claim(const std::string& id, Whose whose);
  base::Result<Held> open_slot(Slot slot);
  void put_back(const Held& held);
  void forget(const Held& held);
  base::Result<Accepted> accept(const mail::Submission& submission, const std::string& account,
                                bool bounce);
  void lose(Slot slot, const base::Error& error);
  double chance();

  // What an attempt says of its account.
  struct Impression {
    bool reached = false;  // the provider spoke
    bool deferred = false;
    bool taken = false;  // something was delivered
    bool slow = false;
    std::int64_t asked_s = 0;
    const base::Error* held = nullptr;  // the account needs a person
    const base::Error* failed = nullptr;
    const base::Error* sender = nullptr;  // may not send so: this message needs one
  };

  // run_settle.cpp, run_conclude.cpp
  Settled settle(Work& work, const std::vector<base::Fate>& fates);
  base::Done write_notes(Work::Inside& held, std::size_t more = 0);
  struct Moment {
    QueueMs now_ms = 0;
    QueueMs age_ms = 0;
    double chance = 0;
  };
  static void finish_verdicts(Work::Inside& held, Verdicts& verdicts, const Impression& impression,
                              const Moment& moment);
  void conclude(const Held& held, Settled& settled);
  base::Done remove_file(const Birth& birth);
  void keep_unsettled(const Held& held, const base::Error& error);
  void postpone(const Held& held, const base::Error& error);
  void try_writing();
  void refuse_all(const Held& held, const base::Error& error);

  // run_account.cpp
  static Impression impression_of(const std::vector<base::Fate>& fates);
  static std::size_t counted(const std::vector<base::Fate>& fates);
  std::vector<Event> note_impression_locked(std::uint32_t account, const Impression& impression);
  void load_accounts();
  void save_accounts();
  void save_accounts_sometimes();

  // run_tell.cpp
  enum class Telling : std::uint8_t { done, later, nobody };
  Telling tell_failures(const Held& held, Settled& settled);
  void warn(const Held& held);
  void summarise(const std::vector<std::string>& ids);
  void tell_of_success(const Held& held, const Indices& delivered);
  AccountFacts facts_of(const Held& held) const;
  BounceFacts bounce_facts(const Stored& stored, const AccountFacts& account) const;
  base::Done post(const mail::Submission& notice, const std::string& account, std::string& id);

  // run_verbs.cpp, run_show.cpp, run_tidy.cpp
  base::Done with_note(const std::string& id, Whose whose,
                       const std::function<std::string(Progress&)>& note);
  Row row_of(const Entry& entry, const std::string& account, bool stopped) const;
  struct Chores {
    std::vector<Event> events{};
    std::vector<std::string> overdue{};  // to be given up
    std::vector<std::string> late{};     // to be warned of
    std::vector<std::vector<std::string>> summaries{};
  };
  Chores chores_locked();
  void give_up(const std::string& id);

  Options options_;
  Spool spool_;
  Clock clock_;
  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  Desk desk_;
  PastIds past_{};
  Storm storm_;
  std::minstd_rand random_;
  bool stopped_ = false;
  bool unwritable_ = false;
  QueueMs probe_ms_ = 0;
  std::vector<Held> unsettled_{};  // their state could not be written
  QueueMs saved_ms_ = 0;
  std::mutex saving_{};
};

}  // namespace queue
