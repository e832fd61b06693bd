#include <algorithm>

#include "catch.h"
#include "transport_script.h"

using base::Fate;
using base::Fault;
using script::Behaviour;
using script::Run;
using script::with_chunks;

namespace {
using State = Fate::State;

Behaviour chunks(const std::string& stage, const std::string& answer) {
  Behaviour out = with_chunks();
  out.answers[stage] = answer;
  return out;
}

// Far more than the buffers between the two ends hold, and not a multiple of a chunk.
std::string large_body() {
  std::string body;
  for (int i = 0; i < 9'001; ++i) body += ".a line of the attachment that is long enough\r\n";
  return body;
}
}  // namespace

TEST_CASE("chunks: a small message to one recipient leaves in one flight with its envelope",
          "[transport]") {
  Run run{with_chunks()};
  run.message = script::a_message({"you@else.example"}, ".hello\r\n..\r\nend");
  run.go();
  REQUIRE(run.fate().state == State::delivered);
  CHECK(run.fate().said == "250 2.0.0 OK <new@id>");
  // EHLO, STARTTLS, EHLO, AUTH, the rest
  REQUIRE(run.wire.writes.size() == 5);
  const std::string content = "Subject: test\r\n\r\n.hello\r\n..\r\nend\r\n";
  CHECK(run.wire.writes[4].bytes.ends_with("BDAT " + std::to_string(content.size()) + " LAST\r\n" +
                                           content + "QUIT\r\n"));
  const script::Seen seen = run.seen();
  CHECK(seen.content == content);
  CHECK(seen.quit);
  CHECK(run.trace.find("BDAT") != std::string::npos);
}

TEST_CASE("chunks: with several recipients the content waits for their answers", "[transport]") {
  Run run{with_chunks()};
  run.message = script::a_message({"a@x.example", "b@x.example"});
  run.go();
  REQUIRE(run.fates[1].state == State::delivered);
  REQUIRE(run.wire.writes.size() == 6);
  CHECK(run.wire.writes[4].bytes.ends_with("RCPT TO:<b@x.example>\r\n"));
  CHECK(run.wire.writes[5].bytes.starts_with("BDAT 24 LAST\r\nSubject"));
  CHECK(run.wire.writes[5].bytes.ends_with("\r\nQUIT\r\n"));
}

TEST_CASE("chunks: one refused recipient of several, and no content leaves", "[transport]") {
  Run run{chunks("rcpt:b@x.example", "550 5.1.1 nobody\r\n")};
  run.message = script::a_message({"a@x.example", "b@x.example"});
  run.go();
  CHECK(run.fates[0].state == State::deferred);
  CHECK(run.fates[1].state == State::refused);
  CHECK(run.seen().content.empty());
}

TEST_CASE("chunks: the only recipient refused behind the content, which goes nowhere",
          "[transport]") {
  Behaviour behaviour = chunks("rcpt", "550 5.1.1 nobody\r\n");
  SECTION("and the content too") {
    behaviour.answers["end"] = "554 5.5.1 no valid recipients\r\n";
  }
  SECTION("and the connection ends") {
    behaviour.answers["end"] = script::close_it;
  }
  Run run{behaviour};
  run.go();
  CHECK(run.fate().state == State::refused);
  CHECK(run.fate().error.fault == Fault::bad_recipient);
  CHECK(run.wire.servers.size() == 1);
}

TEST_CASE("chunks: P7 taken for a refused recipient, it is not known whose the refusal was",
          "[transport]") {
  for (const char* refusal : {"550 5.1.1 nobody\r\n", "451 4.2.1 later\r\n"}) {
    Run run{chunks("rcpt", refusal)};
    run.go();
    CHECK(run.fate().state == State::unknown);
    CHECK(run.fate().error.fault == Fault::outcome_unknown);
    CHECK(run.wire.servers.size() == 1);
  }
}

TEST_CASE("chunks: a large message goes in counted pieces, the last one says so", "[transport]") {
  Run run{with_chunks()};
  run.message = script::a_message({"you@else.example"}, large_body());
  bool pipelining = true;
  SECTION("sent ahead") {}
  SECTION("each one answered first") {
    Behaviour plain = with_chunks();
    plain.offers.erase(plain.offers.find("250-PIPELINING\r\n"), 16);
    run.wire.servers.clear();
    Run slow{plain};
    slow.message = script::a_message({"you@else.example"}, large_body());
    slow.go();
    REQUIRE(slow.fate().state == State::delivered);
    CHECK(slow.seen().content == "Subject: test\r\n\r\n" + large_body());
    pipelining = false;
  }
  if (!pipelining) return;
  run.go();
  REQUIRE(run.fate().state == State::delivered);
  const script::Seen seen = run.seen();
  CHECK(seen.content == "Subject: test\r\n\r\n" + large_body());
  CHECK(seen.quit);
  std::size_t pieces = 0;
  std::size_t last = 0;
  for (const std::string& line : seen.lines) {
    if (line.starts_with("BDAT")) ++pieces;
    if (line.ends_with("LAST")) ++last;
  }
  CHECK(pieces > 4);
  CHECK(last == 1);
}

TEST_CASE("chunks: a refused piece is the verdict, and the rest is not sent", "[transport]") {
  Run run{chunks("bdat", "552 5.3.4 too much\r\n")};
  run.message = script::a_message({"you@else.example"}, large_body());
  run.go();
  CHECK(run.fate().state == State::refused);
  CHECK(run.fate().error.said.find("too much") != std::string::npos);
  CHECK_FALSE(run.seen().complete);
}

TEST_CASE("chunks: P1 what is lost while the content is in the air is unknown", "[transport]") {
  SECTION("before any answer") {
    Run run{chunks("mail", script::close_it)};
    run.go();
    CHECK(run.fate().state == State::unknown);
  }
  SECTION("behind MAIL") {
    Run run{chunks("rcpt", script::close_it)};
    run.go();
    CHECK(run.fate().state == State::unknown);
  }
  SECTION("at the verdict") {
    Run run{chunks("end", script::close_it)};
    run.go();
    CHECK(run.fate().state == State::unknown);
  }
  SECTION("garbage for an answer") {
    Run run{chunks("mail", "354 go on\r\n")};
    run.go();
    CHECK(run.fate().state == State::unknown);
  }
  SECTION("the write itself fails") {
    Run run{with_chunks()};
    run.wire.breaks_at_dot = true;
    run.go();
    CHECK(run.fate().state == State::unknown);
  }
}

TEST_CASE("chunks: P3 a farewell or a refusal in the air is the verdict", "[transport]") {
  SECTION("421 to MAIL") {
    Run run{chunks("mail", "421 4.3.2 going down\r\n")};
    run.go();
    CHECK(run.fate().state == State::deferred);
  }
  SECTION("550 to MAIL") {
    Run run{chunks("mail", "550 5.7.60 not as this sender\r\n")};
    run.go();
    CHECK(run.fate().state == State::held);
    CHECK(run.fate().error.fault == Fault::not_permitted);
  }
  SECTION("421 to RCPT") {
    Run run{chunks("rcpt", "421 4.3.2 going down\r\n")};
    run.go();
    CHECK(run.fate().state == State::deferred);
  }
  SECTION("432 at the end") {
    Run run{chunks("end", "432 4.3.2 sender thread limit exceeded\r\n")};
    run.go();
    CHECK(run.fate().state == State::deferred);
  }
}

TEST_CASE("chunks: a server that offers CHUNKING and refuses BDAT is given DATA", "[transport]") {
  const std::string refusal =
      GENERATE("502 5.5.1 not implemented\r\n", "500 5.3.3 Unrecognized command\r\n",
               "552 5.3.4 Header size exceeds fixed maximum size\r\n");
  transport::KnownServers known;
  transport::Connections connections(known);
  Run run({chunks("end", refusal), with_chunks()});
  run.connections = &connections;
  run.go();
  REQUIRE(run.fate().state == State::delivered);
  CHECK(run.wire.servers.size() == 2);
  CHECK(run.seen(1).content == "Subject: test\r\n\r\nhello\r\n.\r\n");
  // The next message knows.
  run.go();
  REQUIRE(run.fate().state == State::delivered);
  CHECK(run.wire.servers.size() == 3);
  CHECK(run.seen(2).content.ends_with("\r\n.\r\n"));
}

TEST_CASE("chunks: a real refusal of the content is no reason to send it again", "[transport]") {
  Run run{chunks("end", "552 5.3.4 Message size exceeds fixed maximum message size\r\n")};
  run.go();
  CHECK(run.fate().state == State::refused);
  CHECK(run.wire.servers.size() == 1);
}

TEST_CASE("chunks: none where the account says so", "[transport]") {
  Run run{with_chunks()};
  run.account.chunking = false;
  run.go();
  REQUIRE(run.fate().state == State::delivered);
  CHECK(run.seen().content.ends_with("\r\n.\r\n"));
}

TEST_CASE("chunks: a bare CR or LF leaves neither way", "[transport]") {
  for (const bool chunking : {true, false}) {
    Run run{with_chunks()};
    run.account.chunking = chunking;
    run.message = script::a_message({"you@else.example"}, "a\nb\rc\r\n");
    run.message.message.bytes = base::Scratch();
    REQUIRE(run.message.message.bytes.append("Subject: test\r\n\r\na\nb\rc\r\n.\n.\r\r\nd").ok());
    run.go();
    REQUIRE(run.fate().state == State::delivered);
    const std::string dots = chunking ? "" : ".";
    const std::string end = chunking ? "" : ".\r\n";
    CHECK(run.seen().content ==
          "Subject: test\r\n\r\na\r\nb\r\nc\r\n" + dots + ".\r\n" + dots + ".\r\n\r\nd\r\n" + end);
  }
}

TEST_CASE("chunks: P8 a reply too many makes the verdict uncertain", "[transport]") {
  // All in one packet: which reply belongs to the content cannot be told.
  Behaviour behaviour = chunks("mail", "250 ok\r\n250 again\r\n250 to\r\n554 5.6.0 refused\r\n");
  behaviour.answers["rcpt"] = behaviour.answers["end"] = "";
  Run run{behaviour};
  run.go();
  CHECK(run.fate().state != State::delivered);
  CHECK(run.fate().error.fault == Fault::outcome_unknown);
}

TEST_CASE("chunks: P8 the same by DATA is refused before the content", "[transport]") {
  Behaviour behaviour;
  behaviour.answers["mail"] = "250 ok\r\n250 and again\r\n";
  behaviour.answers["end"] = "554 5.6.0 refused\r\n";
  Run run{behaviour};
  run.go();
  CHECK(run.fate().state != State::delivered);
}

TEST_CASE("chunks: QUIT's answer behind the verdict is none too many", "[transport]") {
  Behaviour behaviour = chunks("end", "250 2.0.0 ok\r\n221 2.0.0 bye\r\n");
  Run run{behaviour};
  run.go();
  CHECK(run.fate().state == State::delivered);
}

namespace {
// Three chunks, which all leave before a server that is slow to answer says a word.
mail::Prepared three_chunks() {
  std::string body;
  while (body.size() < 110'000) body += "a line of the attachment that is long enough\r\n";
  return script::a_message({"you@else.example"}, body);
}
}  // namespace

TEST_CASE("chunks: the first of several refusals is the verdict", "[transport]") {
  Behaviour behaviour = chunks("bdat", "");
  behaviour.answers["end"] =
      "552 5.3.4 too big\r\n503 5.5.1 bad sequence\r\n503 5.5.1 bad sequence\r\n";
  Run run{behaviour};
  run.message = three_chunks();
  run.go();
  CHECK(run.fate().state == State::refused);
  CHECK(run.fate().error.said.find("too big") != std::string::npos);
}

TEST_CASE("chunks: a message taken without one of its chunks is uncertain", "[transport]") {
  Behaviour behaviour = chunks("bdat", "");
  behaviour.answers["end"] = "552 5.3.4 too big\r\n250 2.0.0 ok\r\n250 2.0.0 taken\r\n";
  Run run{behaviour};
  run.message = three_chunks();
  run.go();
  CHECK(run.fate().state == State::unknown);
}

TEST_CASE("chunks: a farewell to a chunk means not taken", "[transport]") {
  Behaviour behaviour = chunks("bdat", "");
  behaviour.answers["end"] = "421 4.3.2 going down\r\n";
  Run run{behaviour};
  run.message = three_chunks();
  run.go();
  CHECK(run.fate().state == State::deferred);
}

TEST_CASE("chunks: refusals that come late are no answers to the next message", "[transport]") {
  Behaviour behaviour = chunks("bdat", "");
  behaviour.answers["end"] = "552 5.3.4 too big\r\n503 5.5.1 bad sequence\r\n";
  behaviour.answers["end2"] = "250 2.0.0 OK\r\n";
  behaviour.answers["mail2"] = "503 5.5.1 bad sequence\r\n250 2.1.0 ok\r\n";
  transport::KnownServers known;
  Run run({behaviour, with_chunks()});
  transport::Connections connections(known);
  run.connections = &connections;
  run.more_to_come = true;
  run.phases.end_ms = run.phases.reply_ms = 500;
  run.message = three_chunks();
  run.go();
  CHECK(run.fate().state == State::refused);
  run.message = script::a_message({"innocent@else.example"}, "hi\r\n");
  run.go();
  CHECK(run.fate().state == State::delivered);
  CHECK(run.wire.servers.size() == 2);
}

TEST_CASE("chunks: what may have been taken is not sent again by DATA", "[transport]") {
  Behaviour behaviour = chunks("bdat", "");
  behaviour.answers["end"] = "502 5.5.1 what?\r\n250 2.0.0 ok\r\n250 2.0.0 taken\r\n";
  Run run({behaviour, with_chunks()});
  run.message = three_chunks();
  run.go();
  CHECK(run.fate().state == State::unknown);
  CHECK(run.wire.servers.size() == 1);
}

TEST_CASE("chunks: an envelope answered late is waited for while the content is in the air",
          "[transport]") {
  Run run{chunks("mail", script::wait + "250 2.1.0 ok\r\n")};
  run.phases.reply_ms = 100;
  run.phases.end_ms = 5'000;
  SECTION("in one flight") {
    run.go();
    CHECK(run.fate().state == State::delivered);
  }
  SECTION("not where nothing is lost by giving up") {
    run.message = script::a_message({"a@x.example", "b@x.example"});
    run.go();
    CHECK(run.fate().state == State::deferred);
  }
}

TEST_CASE("content: whoever keeps a queue hears of the end before it leaves", "[transport]") {
  const auto ends = [](const std::vector<script::Written>& writes) {
    return std::count_if(writes.begin(), writes.end(), [](const script::Written& one) {
      return one.bytes.find("\r\n.\r\n") != std::string::npos ||
             one.bytes.find(" LAST\r\n") != std::string::npos;
    });
  };
  for (const bool by_chunks : {false, true}) {
    script::Run run{by_chunks ? script::with_chunks() : script::Behaviour{}};
    run.message = script::a_message({"a@x.example", "b@x.example"});
    std::size_t told = 0;
    bool too_late = false;
    run.before_end = [&](std::size_t first, std::size_t count) {
      told += count;
      too_late = first != 0 || ends(run.wire.writes) != 0;
      return base::done();
    };
    run.go();
    CHECK(run.fate().state == base::Fate::State::delivered);
    CHECK(told == 2);
    CHECK_FALSE(too_late);
    CHECK(ends(run.wire.writes) == 1);
  }
}

TEST_CASE("content: a queue that cannot note the end stops it, and nothing was sent",
          "[transport]") {
  for (const bool alone : {true, false}) {
    script::Run run{script::with_chunks()};
    if (!alone) run.message = script::a_message({"a@x.example", "b@x.example"});
    run.before_end = [](std::size_t, std::size_t) -> base::Done {
      return base::failure(base::Fault::io, "cannot write the spool");
    };
    run.go();
    CHECK(run.fate().state == base::Fate::State::deferred);
    CHECK(run.fate().error.cause == "cannot write the spool");
    CHECK(run.seen().content.empty());
  }
}
