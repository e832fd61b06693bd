#include "catch.h"
#include "transport_script.h"

using base::Fate;
using base::Fault;
using script::Behaviour;
using script::Run;

namespace {
using State = Fate::State;

std::vector<std::string> stages() {
  return {"banner", "ehlo", "starttls", "ehlo2", "auth", "mail", "rcpt", "data", "end"};
}

Behaviour with(const std::string& stage, const std::string& answer) {
  Behaviour out;
  if (stage == "auth") {
    out.auth = {answer, answer, answer};
  } else {
    out.answers[stage] = answer;
  }
  return out;
}

// Far more than the buffers between the two ends hold.
mail::Prepared large_message() {
  std::string body;
  for (int i = 0; i < 18'000; ++i) body += "a line of the attachment that is long enough\r\n";
  return script::a_message({"you@else.example"}, body);
}

std::size_t count_of(const std::string& text, const std::string& piece) {
  std::size_t count = 0;
  for (std::size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) {
    ++count;
  }
  return count;
}
}  // namespace

TEST_CASE("smtp: a message is delivered, and the fate keeps the final reply", "[transport]") {
  Run run{Behaviour()};
  run.go();
  REQUIRE(run.fates.size() == 1);
  CHECK(run.fate().state == State::delivered);
  CHECK(run.fate().said == "250 2.0.0 OK <new@id>");
  CHECK(run.fate().recipient == "you@else.example");
  CHECK_FALSE(run.token_in_clear);
  const script::Seen seen = run.seen();
  CHECK(seen.content == "Subject: test\r\n\r\nhello\r\n.\r\n");
  CHECK(seen.quit);
}

TEST_CASE("smtp: one write per flight, and QUIT rides with the content", "[transport]") {
  Run run{Behaviour()};
  run.message = script::a_message({"a@x.example", "b@x.example", "c@x.example"});
  run.go();
  REQUIRE(run.fate().state == State::delivered);
  // EHLO, STARTTLS, EHLO, AUTH, MAIL+RCPT+DATA, content+QUIT
  REQUIRE(run.wire.writes.size() == 6);
  CHECK(run.wire.writes[4].bytes ==
        "MAIL FROM:<me@corp.example> SIZE=24\r\nRCPT TO:<a@x.example>\r\n"
        "RCPT TO:<b@x.example>\r\nRCPT TO:<c@x.example>\r\nDATA\r\n");
  CHECK(run.wire.writes[5].bytes == "Subject: test\r\n\r\nhello\r\n.\r\nQUIT\r\n");
}

TEST_CASE("smtp: without PIPELINING every command waits for its reply", "[transport]") {
  Behaviour plain;
  plain.offers = "250-here\r\n250-AUTH XOAUTH2\r\n250 STARTTLS\r\n";
  Run run{plain};
  run.message = script::a_message({"a@x.example", "b@x.example"});
  run.go();
  CHECK(run.fate().state == State::delivered);
  // EHLO STARTTLS EHLO AUTH MAIL RCPT RCPT DATA content QUIT
  REQUIRE(run.wire.writes.size() == 10);
  CHECK(run.wire.writes[4].bytes == "MAIL FROM:<me@corp.example>\r\n");
  CHECK(run.wire.writes[9].bytes == "QUIT\r\n");
}

TEST_CASE("smtp: P1 a close at any stage is deferred, behind the final dot unknown",
          "[transport]") {
  for (const std::string& stage : stages()) {
    INFO(stage);
    Run run{with(stage, script::close_it)};
    run.go();
    CHECK(run.fate().state == (stage == "end" ? State::unknown : State::deferred));
    CHECK(run.fate().error.fault == (stage == "end" ? Fault::outcome_unknown : Fault::unavailable));
    CHECK(run.fate().error.account == "work");
    CHECK(run.fate().error.cause.find("smtp.example:587 closed the connection") !=
          std::string::npos);
    CHECK_FALSE(run.token_in_clear);
  }
}

TEST_CASE("smtp: an unknown outcome says so in its first words", "[transport]") {
  Run run{with("end", script::close_it)};
  run.go();
  CHECK(run.fate().error.cause.rfind("outcome unknown, may have been delivered", 0) == 0);
}

TEST_CASE("smtp: P2 a server that hangs is given up by the deadline of the phase", "[transport]") {
  for (const std::string& stage : stages()) {
    for (const std::string& way : {script::hang, script::loris}) {
      INFO(stage << " " << way);
      Run run{with(stage, way)};
      run.phases.reply_ms = run.phases.end_ms = 300;
      run.go();
      CHECK(run.fate().state == (stage == "end" ? State::unknown : State::deferred));
      CHECK(run.fate().error.cause.find("was silent for 1 s") != std::string::npos);
      CHECK(run.took_ms >= 300);
      CHECK(run.took_ms < 3'000);
    }
  }
}

TEST_CASE("smtp: P2 the deadline of the attempt is above those of the phases", "[transport]") {
  Run run{with("rcpt", script::hang)};
  run.phases.attempt_ms = 300;
  run.go();
  CHECK(run.fate().state == State::deferred);
  CHECK(run.took_ms < 3'000);
}

TEST_CASE("smtp: P3 a 4xx at any stage is deferred", "[transport]") {
  for (const std::string& stage : stages()) {
    INFO(stage);
    Run run{with(stage, "451 4.3.0 later please\r\n")};
    run.go();
    CHECK(run.fate().state == State::deferred);
    CHECK(run.fate().error.fault == Fault::unavailable);
    CHECK(run.fate().error.said == "451 4.3.0 later please");
    CHECK(run.fate().error.status == "4.3.0");
  }
}

TEST_CASE("smtp: P4 a 5xx is judged by its stage", "[transport]") {
  const std::map<std::string, std::pair<Fault, State>> wanted = {
      {"banner", {Fault::config, State::held}},
      {"ehlo", {Fault::protocol, State::deferred}},
      {"starttls", {Fault::unavailable, State::deferred}},
      {"ehlo2", {Fault::protocol, State::deferred}},
      {"auth", {Fault::sign_in_needed, State::held}},
      {"mail", {Fault::not_permitted, State::refused}},
      {"rcpt", {Fault::bad_recipient, State::refused}},
      {"data", {Fault::bad_message, State::refused}},
      {"end", {Fault::bad_message, State::refused}},
  };
  for (const auto& [stage, what] : wanted) {
    INFO(stage);
    Run run{with(stage, "554 5.9.9 never\r\n")};
    run.go();
    CHECK(run.fate().error.fault == what.first);
    CHECK(run.fate().state == what.second);
    CHECK(run.fate().error.said == "554 5.9.9 never");
  }
}

TEST_CASE("smtp: P5 garbage at any stage ends the connection", "[transport]") {
  const std::vector<std::string> kinds = {"hello there\r\n",
                                          "199 low\r\n",
                                          "600 high\r\n",
                                          "25\r\n",
                                          "\r\n",
                                          "25x odd\r\n",
                                          "250-one\r\n251 two\r\n",
                                          std::string("\0\0\0\r\n", 5),
                                          std::string(3000, '2') + "\r\n",
                                          "250\tx\r\n"};
  for (const std::string& stage : stages()) {
    for (const std::string& kind : kinds) {
      INFO(stage << " " << base::clean(kind, 40));
      Run run{with(stage, kind)};
      run.go();
      CHECK(run.fate().state == (stage == "end" ? State::unknown : State::deferred));
      CHECK(run.fate().error.fault == (stage == "end" ? Fault::outcome_unknown : Fault::protocol));
      CHECK_FALSE(base::has_control(run.fate().error.said));
      CHECK_FALSE(base::has_control(run.fate().error.cause));
    }
  }
}

TEST_CASE("smtp: P5 a reply with an enhanced code of another class goes by its code",
          "[transport]") {
  Run run{with("end", "250 5.7.1 fine\r\n")};
  run.go();
  CHECK(run.fate().state == State::delivered);
}

TEST_CASE("smtp: P5 an answer in two million lines is cut short", "[transport]") {
  std::string endless;
  for (int i = 0; i < 5000; ++i) endless += "250-more\r\n";
  Run run{with("ehlo", endless)};
  run.go();
  CHECK(run.fate().error.fault == Fault::protocol);
  CHECK(run.fate().error.cause.find("endless") != std::string::npos);
}

TEST_CASE("smtp: P6 every combination of answers for three recipients", "[transport]") {
  const std::vector<std::string> answers = {"250 ok\r\n", "450 4.2.1 later\r\n",
                                            "550 5.1.1 unknown\r\n"};
  const std::vector<std::string> who = {"a@x.example", "b@x.example", "c@x.example"};
  for (const bool pipelining : {true, false}) {
    for (const bool all : {true, false}) {
      for (std::size_t mix = 0; mix < 27; ++mix) {
        const std::array<std::size_t, 3> pick = {mix % 3, mix / 3 % 3, mix / 9};
        INFO("all=" << all << " " << pick[0] << pick[1] << pick[2]);
        Behaviour behaviour;
        if (!pipelining) behaviour.offers = "250-here\r\n250-AUTH XOAUTH2\r\n250 STARTTLS\r\n";
        for (std::size_t i = 0; i < 3; ++i) {
          behaviour.answers["rcpt:" + who[i]] = answers[pick[i]];
        }
        const bool none = pick[0] != 0 && pick[1] != 0 && pick[2] != 0;
        if (none) behaviour.answers["data"] = "503 5.5.1 no recipients\r\n";
        Run run{behaviour};
        run.message = script::a_message(who);
        run.all_or_nothing = all;
        run.go();
        const bool sent = all ? mix == 0 : !none;
        CHECK(run.seen().complete == sent);
        REQUIRE(run.fates.size() == 3);
        bool stopped = false;  // without pipelining the rest is not even asked about
        for (std::size_t i = 0; i < 3; ++i) {
          INFO(i);
          const Fate& fate = run.fates[i];
          CHECK(fate.recipient == who[i]);
          if (stopped || pick[i] == 0) {
            CHECK(fate.state == (sent ? State::delivered : State::deferred));
            if (!sent && all) {
              CHECK(fate.error.cause.find(" was not taken, so nothing was sent") !=
                    std::string::npos);
              bool waiting_helps = true;
              for (std::size_t j = 0; j < 3; ++j) {
                if (run.fates[j].state == State::refused) waiting_helps = false;
              }
              CHECK(fate.error.cure ==
                    (waiting_helps ? "try again" : "correct it or send again without it"));
              CHECK(fate.error.fault == Fault::unavailable);
            }
          } else {
            CHECK(fate.state == (pick[i] == 1 ? State::deferred : State::refused));
            CHECK(fate.error.fault == (pick[i] == 1 ? Fault::unavailable : Fault::bad_recipient));
          }
          stopped = stopped || (!pipelining && all && pick[i] != 0);
        }
      }
    }
  }
}

TEST_CASE("smtp: P7 a server that asks for content after refusing everybody gets none",
          "[transport]") {
  for (const bool all : {true, false}) {
    Run run{with("rcpt", "550 5.1.1 unknown\r\n")};
    run.all_or_nothing = all;
    run.go();
    CHECK(run.fate().state == State::refused);
    const script::Seen seen = run.seen();
    CHECK(seen.content.empty());
    CHECK_FALSE(seen.complete);
  }
}

TEST_CASE("smtp: P8 words that nobody asked for end the connection", "[transport]") {
  for (const std::string stage : {"banner", "ehlo", "ehlo2"}) {
    INFO(stage);
    Behaviour behaviour;
    std::string reply = behaviour.offers;
    if (stage == "banner") reply = "220 here\r\n";
    Run run{with(stage, reply + "250 and more\r\n")};
    run.go();
    CHECK(run.fate().state == State::deferred);
    CHECK(run.fate().error.fault == Fault::protocol);
  }
}

TEST_CASE("smtp: P8 a 250 before the content is no delivery", "[transport]") {
  Run run{with("data", "354 go\r\n250 2.0.0 done already\r\n")};
  run.go();
  CHECK(run.fate().state == State::deferred);
  CHECK(run.fate().error.fault == Fault::protocol);
  CHECK(run.seen().content.empty());
}

TEST_CASE("smtp: P8 a 250 that comes while the content goes out is no verdict", "[transport]") {
  for (const bool pipelining : {true, false}) {
    Behaviour behaviour;
    if (!pipelining) behaviour.offers = "250-here\r\n250-AUTH XOAUTH2\r\n250 STARTTLS\r\n";
    behaviour.early = "250 2.0.0 warning from a proxy\r\n";
    behaviour.answers["end"] = "554 5.6.0 no\r\n";
    Run run{behaviour};
    run.message = large_message();
    run.go();
    CHECK(run.fate().state == State::deferred);
    CHECK(run.fate().error.fault == Fault::protocol);
    CHECK(run.fate().error.said == "250 2.0.0 warning from a proxy");
    const script::Seen seen = run.seen();
    CHECK_FALSE(seen.complete);
    CHECK_FALSE(seen.quit);
    CHECK(seen.content.find("\r\n.\r\n") == std::string::npos);
  }
}

TEST_CASE("smtp: P8 a refusal that comes while the content goes out is one", "[transport]") {
  Behaviour behaviour;
  behaviour.early = "552 5.3.4 too much\r\n";
  Run never{behaviour};
  never.message = large_message();
  never.go();
  CHECK(never.fate().state == State::refused);
  CHECK(never.fate().error.said == "552 5.3.4 too much");
  CHECK_FALSE(never.seen().complete);
  behaviour.early = "451 4.3.0 disk trouble\r\n";
  Run later{behaviour};
  later.message = large_message();
  later.go();
  CHECK(later.fate().state == State::deferred);
  CHECK(later.fate().error.said == "451 4.3.0 disk trouble");
  CHECK_FALSE(later.seen().complete);
}

TEST_CASE("smtp: P8 a surplus reply behind another is not taken for the next one", "[transport]") {
  Behaviour behaviour;
  behaviour.offers = "250-here\r\n250-AUTH XOAUTH2\r\n250 STARTTLS\r\n";
  behaviour.answers["mail"] = "250 ok\r\n250 surplus\r\n";
  Run run{behaviour};
  run.go();
  CHECK(run.fate().state == State::deferred);
  CHECK(run.fate().error.fault == Fault::protocol);
  CHECK(run.fate().error.said == "250 surplus");
}

TEST_CASE("smtp: a write that breaks behind the dot leaves the outcome unknown", "[transport]") {
  Run taken{Behaviour()};
  taken.wire.breaks_at_dot = true;
  taken.go();
  CHECK(taken.seen().complete);
  CHECK(taken.fate().state == State::unknown);
  CHECK(taken.fate().error.fault == Fault::outcome_unknown);
  CHECK(taken.fate().error.cause.rfind("outcome unknown, may have been delivered: ", 0) == 0);
  CHECK(taken.fate().error.cure.find("before sending it again") != std::string::npos);
  // A refusal that can still be read is an outcome.
  Run refused{with("end", "554 5.6.0 no\r\n")};
  refused.wire.breaks_at_dot = true;
  refused.go();
  CHECK(refused.fate().state == State::refused);
  CHECK(refused.fate().error.said == "554 5.6.0 no");
}

TEST_CASE("smtp: a connection that ends before the dot leaves is only deferred", "[transport]") {
  Behaviour behaviour;
  behaviour.early = script::close_it;
  Run run{behaviour};
  run.message = large_message();
  run.go();
  CHECK(run.fate().state == State::deferred);
  CHECK(run.fate().error.cause ==
        "smtp.example:587 closed the connection while it was sent the message");
}

TEST_CASE("smtp: who is held back by another is told what helps", "[transport]") {
  for (const bool deferred : {true, false}) {
    Run run{with("rcpt:a@x.example", deferred ? "450 4.2.1 later\r\n" : "550 5.1.1 unknown\r\n")};
    run.message = script::a_message({"a@x.example", "b@x.example"});
    run.go();
    CHECK(run.fates[1].error.cause == "a@x.example was not taken, so nothing was sent");
    CHECK(run.fates[1].error.cure ==
          (deferred ? "try again" : "correct it or send again without it"));
  }
}

TEST_CASE("smtp: a server that says 421 on its own is believed", "[transport]") {
  Run run{with("banner", "220 here\r\n421 4.3.2 going down\r\n")};
  run.go();
  CHECK(run.fate().error.fault == Fault::unavailable);
  CHECK(run.fate().error.said == "421 4.3.2 going down");
}

TEST_CASE("smtp: P10 plaintext behind the STARTTLS reply is refused", "[transport]") {
  Run run{with("starttls", "220 go\r\n250-here\r\n250 AUTH XOAUTH2\r\n")};
  run.go();
  CHECK(run.fate().state == State::deferred);
  CHECK(run.fate().error.fault == Fault::protocol);
  CHECK(run.fate().error.cause.find("after STARTTLS") != std::string::npos);
  CHECK(run.asked.empty());
}

TEST_CASE("smtp: P10 without STARTTLS nothing is sent and no token is asked for", "[transport]") {
  Behaviour behaviour;
  behaviour.offers = "250-here\r\n250 AUTH XOAUTH2\r\n";
  Run run{behaviour};
  run.go();
  CHECK(run.fate().error.fault == Fault::unavailable);
  CHECK(run.fate().error.cause == "smtp.example:587 offers no STARTTLS");
  CHECK(run.asked.empty());
  CHECK_FALSE(run.token_in_clear);
}

TEST_CASE("smtp: P10 what was offered before TLS is forgotten", "[transport]") {
  Behaviour behaviour;
  behaviour.tls_offers = "250-here\r\n250 AUTH XOAUTH2\r\n";
  Run run{behaviour};
  run.go();
  CHECK(run.fate().state == State::delivered);
  for (const script::Written& one : run.wire.writes) {
    CHECK(one.bytes.find("SIZE=") == std::string::npos);
    CHECK(count_of(one.bytes, "\r\n") <= 5);  // no pipelining any more
  }
}

TEST_CASE("smtp: P13 a message over SIZE is refused before it is sent", "[transport]") {
  Behaviour behaviour;
  behaviour.tls_offers = "250-here\r\n250-SIZE 10\r\n250 AUTH XOAUTH2\r\n";
  Run run{behaviour};
  run.go();
  CHECK(run.fate().state == State::refused);
  CHECK(run.fate().error.fault == Fault::bad_message);
  CHECK(run.fate().error.status == "5.3.4");
  for (const std::string& line : run.seen().lines) CHECK(line.rfind("MAIL", 0) != 0);
}

TEST_CASE("smtp: SIZE without a number, and SIZE 0, are no limits", "[transport]") {
  for (const std::string size : {"SIZE", "SIZE 0", "SIZE=0", "SIZE 99999999999999999999"}) {
    Behaviour behaviour;
    behaviour.tls_offers = "250-here\r\n250-" + size + "\r\n250 AUTH XOAUTH2\r\n";
    Run run{behaviour};
    run.go();
    INFO(size);
    CHECK(run.fate().state == State::delivered);
  }
}

TEST_CASE("smtp: more recipients, or more octets, than the account takes need no server",
          "[transport]") {
  Run many{Behaviour()};
  many.message = script::a_message({"a@x.example", "b@x.example", "c@x.example"});
  many.account.max_recipients = 2;
  many.go();
  REQUIRE(many.fates.size() == 3);
  CHECK(many.fate().error.fault == Fault::bad_message);
  CHECK(many.fate().error.cause.find("limit is 2") != std::string::npos);
  CHECK(many.wire.servers.empty());

  Run large{Behaviour()};
  large.account.max_size_bytes = 20;
  large.go();
  CHECK(large.fate().error.fault == Fault::bad_message);
  CHECK(large.fate().error.cause.find("the account takes") != std::string::npos);
  CHECK(large.wire.servers.empty());
}

TEST_CASE("smtp: 8-bit bodies are labelled, or re-encoded where the server lacks 8BITMIME",
          "[transport]") {
  Run able{Behaviour()};
  able.message = script::a_message({"a@x.example"}, "gr\xC3\xBC\xC3\x9F\r\n");
  able.go();
  CHECK(able.fate().state == State::delivered);
  CHECK(able.wire.writes[4].bytes.find(" BODY=8BITMIME") != std::string::npos);

  Behaviour lacking;
  lacking.offers = "250-here\r\n250-AUTH XOAUTH2\r\n250 STARTTLS\r\n";
  Run unable{lacking};
  unable.message = script::a_message({"a@x.example"}, "gr\xC3\xBC\xC3\x9F\r\n");
  bool seven_bit_asked = false;
  unable.reencode = [&](const base::Scratch& whole, bool seven_bit) -> base::Result<base::Scratch> {
    seven_bit_asked = seven_bit;
    CHECK(whole.all(1000).value() == "Subject: test\r\n\r\ngr\xC3\xBC\xC3\x9F\r\n");
    base::Scratch out;
    CHECK(out.append("Subject: test\r\n\r\ngr=C3=BC=C3=9F\r\n").ok());
    return out;
  };
  unable.go();
  CHECK(seven_bit_asked);
  CHECK(unable.fate().state == State::delivered);
  CHECK(unable.seen().content == "Subject: test\r\n\r\ngr=C3=BC=C3=9F\r\n.\r\n");
}

TEST_CASE("smtp: a message that cannot be re-encoded is refused with the reason", "[transport]") {
  Run run{Behaviour()};
  run.message = script::a_message({"a@x.example"}, std::string(1200, 'x') + "\r\n");
  run.reencode = [](const base::Scratch&, bool) -> base::Result<base::Scratch> {
    return base::failure(Fault::bad_message, "a signed part would change");
  };
  run.go();
  CHECK(run.fate().state == State::refused);
  CHECK(run.fate().error.cause == "a signed part would change");
  CHECK(run.seen().content.empty());
}

TEST_CASE("smtp: UTF-8 addresses need SMTPUTF8, UTF-8 domains do not", "[transport]") {
  Behaviour lacking;
  lacking.offers = "250-here\r\n250-AUTH XOAUTH2\r\n250 STARTTLS\r\n";
  Run local{lacking};
  local.message = script::a_message({"j\xC3\xB6rg@x.example"});
  local.go();
  CHECK(local.fate().state == State::refused);
  CHECK(local.fate().error.status == "5.6.7");

  Run able{Behaviour()};
  able.message = script::a_message({"j\xC3\xB6rg@x.example"});
  able.go();
  CHECK(able.fate().state == State::delivered);
  CHECK(able.wire.writes[4].bytes.find(" SMTPUTF8\r\n") != std::string::npos);

  Run domain{lacking};
  domain.message =
      script::a_message({"joe@b\xC3\xBC"
                         "cher.example"});
  domain.go();
  CHECK(domain.fate().state == State::delivered);
  CHECK(domain.wire.writes[5].bytes == "RCPT TO:<joe@xn--bcher-kva.example>\r\n");
}

TEST_CASE("smtp: R39 a control byte in an address never reaches the wire", "[transport]") {
  Run run{Behaviour()};
  run.message = script::a_message({"a@x.example>\r\nRCPT TO:<evil@x.example"});
  run.go();
  CHECK(run.fate().state == State::refused);
  CHECK(run.fate().error.fault == Fault::bad_message);
  for (const script::Written& one : run.wire.writes) {
    CHECK(one.bytes.find("evil") == std::string::npos);
  }
}

TEST_CASE("smtp: DSN parameters go only to servers that offer DSN", "[transport]") {
  for (const bool offered : {true, false}) {
    Behaviour behaviour;
    if (!offered) behaviour.tls_offers = "250-here\r\n250-PIPELINING\r\n250 AUTH XOAUTH2\r\n";
    Run run{behaviour};
    run.message.envelope.ret = "HDRS";
    run.message.envelope.envid = "id+2B1";
    run.message.envelope.recipients[0].notify = "SUCCESS,FAILURE";
    run.message.envelope.recipients[0].orcpt = "rfc822;you@else.example";
    run.go();
    const std::string& flight = run.wire.writes[4].bytes;
    CHECK((flight.find(" RET=HDRS ENVID=id+2B1\r\n") != std::string::npos) == offered);
    CHECK((flight.find("> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;you@else.example\r\n") !=
           std::string::npos) == offered);
  }
}

TEST_CASE("smtp: many recipients are cut into flights that fit a window", "[transport]") {
  std::vector<std::string> who;
  for (int i = 0; i < 1000; ++i) {
    who.push_back("recipient-number-" + std::to_string(i) + "@some-long-name.example");
  }
  Run run{Behaviour()};
  run.message = script::a_message(who);
  run.go();
  REQUIRE(run.fates.size() == 1000);
  CHECK(run.fates[999].state == State::delivered);
  CHECK(run.wire.writes.size() == 4 + 3);
  for (const script::Written& one : run.wire.writes) CHECK(one.bytes.size() < 40 * 1024);
}

TEST_CASE("smtp: a server that gives up in the middle of the content is heard", "[transport]") {
  Run run{with("data", "354 go\r\n")};
  run.message = script::a_message({"a@x.example"}, std::string(20'000, 'x') + "\r\n");
  CHECK(run.go()[0].state != State::delivered);  // one long line, nobody to re-encode it
  Behaviour early;
  early.answers["end"] = "452 4.3.1 disk full\r\n";
  Run full{early};
  std::string body;
  for (int i = 0; i < 20'000; ++i) body += "a line of the attachment that is long enough\r\n";
  full.message = script::a_message({"a@x.example"}, body);
  full.go();
  CHECK(full.fate().state == State::deferred);
  CHECK(full.fate().error.said == "452 4.3.1 disk full");
}

TEST_CASE("smtp: a trace shows the dialogue and no secret", "[transport]") {
  Run run{Behaviour()};
  run.go();
  CHECK(run.trace.find("220 here ESMTP\n") != std::string::npos);
  CHECK(run.trace.find(">>> AUTH XOAUTH2 ***\n") != std::string::npos);
  CHECK(run.trace.find(">>> RCPT TO:<you@else.example>\n") != std::string::npos);
  CHECK(run.trace.find("tok-canary") == std::string::npos);
  CHECK(run.trace.find("dXNlcj1") == std::string::npos);  // base64 of user=
}

TEST_CASE("smtp: deadlines grow with the timeout, the attempt with the message", "[transport]") {
  const transport::Phases phases = transport::Phases::scaled(30, 0);
  CHECK(phases.connect_ms == 30'000);
  CHECK(phases.reply_ms == 60'000);
  CHECK(phases.end_ms == 600'000);
  CHECK(phases.attempt_ms > phases.end_ms);
  CHECK(transport::Phases::scaled(30, 100'000'000).attempt_ms > phases.attempt_ms + 3'000'000);
  CHECK(transport::Phases::scaled(INT64_MAX, UINT64_MAX).attempt_ms > 0);
}
