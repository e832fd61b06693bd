#include "sandbox/fault.h"

#include "catch.h"

using sandbox::Fault;
using sandbox::FaultBoard;
using sandbox::recipient_faults;

TEST_CASE("fault: an ordinary address asks for no fault", "[sandbox]") {
  for (const char* address : {"a@b.example", "faulty@b.example", "fault@b.example", "\"\"@b"}) {
    const auto faults = recipient_faults(address);
    REQUIRE(faults);
    CHECK(faults->empty());
  }
}

TEST_CASE("fault: a code with its status strikes at RCPT", "[sandbox]") {
  const auto faults = recipient_faults("fault+550-5.1.1@x.example");
  REQUIRE(faults);
  REQUIRE(faults->size() == 1);
  CHECK(faults->at(0).stage == "rcpt");
  CHECK(faults->at(0).code == 550);
  CHECK(faults->at(0).status == "5.1.1");
  CHECK(sandbox::fault_reply(faults->at(0), "<a@b>") == "550 5.1.1 <a@b> refused (sandbox fault)");
}

TEST_CASE("fault: a code without status gets the status of its family", "[sandbox]") {
  const auto faults = recipient_faults("Fault+452@x.example");
  REQUIRE(faults);
  CHECK(sandbox::fault_reply(faults->at(0), "<a@b>") ==
        "452 4.0.0 <a@b> try again (sandbox fault)");
}

TEST_CASE("fault: stage, count and several items are read", "[sandbox]") {
  const auto faults = recipient_faults("fault+432-4.3.2-at-end-times-2+close-at-quit@x.example");
  REQUIRE(faults);
  REQUIRE(faults->size() == 2);
  CHECK(faults->at(0).stage == "end");
  CHECK(faults->at(0).times == 2);
  CHECK(faults->at(0).code == 432);
  CHECK_FALSE(faults->at(0).keep);
  CHECK(faults->at(1).action == Fault::Action::close);
  CHECK(faults->at(1).stage == "quit");
}

TEST_CASE("fault: after-dot keeps the mail and loses the reply", "[sandbox]") {
  const auto faults = recipient_faults("fault+close-after-dot@x.example");
  REQUIRE(faults);
  CHECK(faults->at(0).stage == "end");
  CHECK(faults->at(0).keep);
  const auto garbage = recipient_faults("fault+garbage-after-dot@x.example");
  REQUIRE(garbage);
  CHECK(garbage->at(0).action == Fault::Action::garbage);
}

TEST_CASE("fault: what cannot be read is an error that names it", "[sandbox]") {
  for (const char* address :
       {"fault+@x", "fault+99@x", "fault+600@x", "fault+550-5.1@x", "fault+550-9.1.1@x",
        "fault+nonsense@x", "fault+reply@x", "fault+close-at-nowhere@x", "fault+close-times-0@x",
        "fault+close-times-x@x", "fault+close-after-dots@x", "fault+5501@x"}) {
    const auto faults = recipient_faults(address);
    INFO(address);
    REQUIRE_FALSE(faults);
    CHECK(faults.error().fault == base::Fault::usage);
  }
}

TEST_CASE("fault: a counted fault strikes so often and no more, per address", "[sandbox]") {
  FaultBoard board;
  const auto faults = recipient_faults("fault+451-times-2@x.example");
  REQUIRE(faults);
  CHECK(board.strikes("a@x", faults->at(0)));
  CHECK(board.strikes("A@X", faults->at(0)));
  CHECK_FALSE(board.strikes("a@x", faults->at(0)));
  CHECK(board.strikes("b@x", faults->at(0)));
  board.clear();
  CHECK(board.strikes("a@x", faults->at(0)));
}

TEST_CASE("fault: the board gives a stage's faults in order, each so many times", "[sandbox]") {
  FaultBoard board;
  Fault first;
  first.stage = "auth";
  first.reply = "454 4.7.0 later";
  first.times = 2;
  board.set(first);
  Fault second = first;
  second.reply = "535 5.7.3 no";
  second.times = 1;
  board.set(second);
  CHECK_FALSE(board.take("mail"));
  CHECK(board.take("auth")->reply == "454 4.7.0 later");
  CHECK(board.take("auth")->reply == "454 4.7.0 later");
  CHECK(board.take("auth")->reply == "535 5.7.3 no");
  CHECK_FALSE(board.take("auth"));
}
