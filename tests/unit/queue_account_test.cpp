// What the queue takes from the configuration, and what an account's budget is on the way.
#include <thread>

#include "account_files.h"
#include "queue/run.h"
#include "queue_stand.h"

TEST_CASE("the queue's keys are read where they stand, and have their defaults") {
  const TestFolder folder;
  const account::Configuration configuration = folder.loaded(
      "[mailbearer]\nretry_for = 2d\nuser_rate_messages_per_hour = 50\n"
      "[account a]\nprovider = microsoft\nuser = me@corp.example\nwarn_after = 1h\n"
      "rate_share = 1/4\n");
  REQUIRE(configuration.accounts.size() == 1);
  const queue::AccountFacts facts =
      queue::account_facts(configuration, configuration.accounts.front());
  CHECK(facts.name == "a");
  CHECK(facts.patience.retry_for_s == 2 * 86'400);
  CHECK(facts.patience.hold_for_s == std::int64_t{30} * 86'400);
  CHECK(facts.patience.warn_after_s == 3600);
  CHECK(facts.max_connections == 2);
  CHECK(facts.pace.messages_per_minute == 28);
  CHECK(facts.pace.recipients_per_day == 10'000);
  CHECK(facts.pace.share == 0.25);
  CHECK(facts.pace.user_messages_per_hour == 50);
  CHECK(facts.rules.user.text() == "me@corp.example");
}

TEST_CASE("mail that does not pass through the queue keeps the same pace") {
  const queue_stand::Folder folder;
  queue::Options options;
  options.folder = folder / "spool";
  options.standing_clock = queue_stand::begin_ms;
  options.limits.floor_bytes = 0;
  const std::unique_ptr<queue::Queue> queue = std::move(*queue::Queue::open(options));
  queue::AccountFacts facts = queue_stand::account_named("work");
  facts.pace.messages_per_minute = 2;
  queue->set_accounts({facts});
  const base::Deadline soon = base::Deadline::after_ms(20);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(queue->begin_now("work", 1000, 1, soon).ok());
    queue->end_now("work", 1, {queue_stand::fate(base::Fate::State::delivered)});
  }
  const base::Done third = queue->begin_now("work", 1000, 1, soon);
  REQUIRE_FALSE(third.ok());
  CHECK(third.error().fault == base::Fault::unavailable);
  CHECK(third.error().retry_after_s == 60);
  REQUIRE(queue->accept(queue_stand::submission({"a@x.example"}, "me@corp.example"), "work").ok());
  CHECK_FALSE(queue->take(0));
  queue->set_clock_ms(queue_stand::begin_ms + 60'000);
  CHECK(queue->take(0));
}
