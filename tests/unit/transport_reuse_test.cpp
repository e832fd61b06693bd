#include <fcntl.h>
#include <sys/stat.h>

#include "catch.h"
#include "tls_identity.h"
#include "transport/known_servers.h"
#include "transport_script.h"

using base::Fate;
using base::Fault;
using script::Behaviour;
using script::Run;
using script::with_chunks;
using transport::KnownServers;

namespace {
using State = Fate::State;

// A queue that has work: every connection is left for the next message.
struct Queue {
  explicit Queue(std::vector<Behaviour> behaviours) : run(std::move(behaviours)) {
    run.connections = &connections;
    run.more_to_come = true;
  }
  const Fate& send(const std::vector<std::string>& to = {"you@else.example"}) {
    run.message = script::a_message(to);
    run.wire.writes.clear();
    run.go();
    return run.fate();
  }
  KnownServers known;
  Run run;
  transport::Connections connections{known};  // ends before the servers, which wait for that
};
}  // namespace

TEST_CASE("reuse: the next message on an open connection takes one flight by BDAT, two by DATA",
          "[transport]") {
  const bool chunking = GENERATE(true, false);
  Queue queue({with_chunks()});
  queue.run.account.chunking = chunking;
  REQUIRE(queue.send().state == State::delivered);
  REQUIRE(queue.send().state == State::delivered);
  CHECK(queue.run.wire.servers.size() == 1);
  CHECK(queue.run.wire.writes.size() == (chunking ? 1U : 2U));
  CHECK(queue.run.asked.size() == 1);  // one sign-in
  REQUIRE(queue.send({"a@x.example", "b@x.example"}).state == State::delivered);
  CHECK(queue.run.wire.writes.size() == 2);
  CHECK(queue.run.seen().messages.size() == 3);
  CHECK_FALSE(queue.run.seen().quit);
  queue.run.more_to_come = false;
  REQUIRE(queue.send().state == State::delivered);
  CHECK(queue.run.wire.servers.size() == 1);
  CHECK(queue.run.seen().quit);
}

TEST_CASE("reuse: a connection that the server closed in between is no failure", "[transport]") {
  Behaviour first = with_chunks();
  SECTION("before the next message") {
    first.answers["end"] = "250 2.0.0 OK\r\n";
  }
  SECTION("421 as the answer to MAIL") {
    first.answers["mail2"] = "421 4.4.2 idle too long\r\n";
  }
  Queue queue({first, with_chunks()});
  REQUIRE(queue.send().state == State::delivered);
  if (first.answers.contains("end")) {
    queue.run.wire.servers.at(0)->leave();
    REQUIRE(queue.send().state == State::delivered);
    CHECK(queue.run.wire.servers.size() == 2);
  } else {
    REQUIRE(queue.send().state == State::delivered);
    CHECK(queue.run.wire.servers.size() == 2);
    CHECK(queue.run.seen(1).messages.size() == 1);
  }
}

TEST_CASE("reuse: by DATA an unanswered MAIL on a used connection is tried anew", "[transport]") {
  Behaviour first;
  first.answers["mail2"] = script::close_it;
  Queue queue({first, Behaviour()});
  REQUIRE(queue.send().state == State::delivered);
  REQUIRE(queue.send().state == State::delivered);
  CHECK(queue.run.wire.servers.size() == 2);
  CHECK(queue.run.seen(0).messages.size() == 1);
}

TEST_CASE("reuse: by BDAT an unanswered message is unknown, and not sent twice", "[transport]") {
  Behaviour first = with_chunks();
  first.answers["mail2"] = script::close_it;
  Queue queue({first, with_chunks()});
  REQUIRE(queue.send().state == State::delivered);
  CHECK(queue.send().state == State::unknown);
  CHECK(queue.run.wire.servers.size() == 1);
}

TEST_CASE("reuse: a new connection that fails is a failure", "[transport]") {
  Behaviour closing;
  closing.answers["mail"] = script::close_it;
  Queue queue({closing});
  CHECK(queue.send().state == State::deferred);
  CHECK(queue.run.wire.servers.size() == 1);
}

TEST_CASE("reuse: RSET goes ahead after a refused recipient", "[transport]") {
  Behaviour first = with_chunks();
  first.answers["rcpt:bad@x.example"] = "550 5.1.1 nobody\r\n";
  Queue queue({first});
  CHECK(queue.send({"bad@x.example", "good@x.example"}).state == State::refused);
  REQUIRE(queue.send().state == State::delivered);
  CHECK(queue.run.wire.servers.size() == 1);
  CHECK(queue.run.wire.writes.at(0).bytes.starts_with("RSET\r\nMAIL FROM"));
  CHECK(queue.run.seen().messages.size() == 1);
  REQUIRE(queue.send().state == State::delivered);
  CHECK(queue.run.wire.writes.at(0).bytes.starts_with("MAIL FROM"));
}

TEST_CASE("reuse: a refused RSET ends the connection, not the message", "[transport]") {
  Behaviour first = with_chunks();
  first.answers["rcpt:bad@x.example"] = "550 5.1.1 nobody\r\n";
  first.answers["rset"] = "500 what?\r\n";
  Queue queue({first, with_chunks()});
  CHECK(queue.send({"bad@x.example", "good@x.example"}).state == State::refused);
  REQUIRE(queue.send().state == State::delivered);
  CHECK(queue.run.wire.servers.size() == 2);
}

TEST_CASE("reuse: another account has another connection", "[transport]") {
  Queue queue({with_chunks()});
  REQUIRE(queue.send().state == State::delivered);
  queue.run.account.user = "other@corp.example";
  queue.run.account.auth_user = "other@corp.example";
  REQUIRE(queue.send().state == State::delivered);
  CHECK(queue.run.wire.servers.size() == 2);
}

TEST_CASE("reuse: a server that refuses the initial response is asked in two steps ever after",
          "[transport]") {
  Behaviour picky;
  picky.auth = {"500 5.5.6 line too long\r\n", "334 \r\n", "235 2.7.0 welcome\r\n"};
  Behaviour again;
  again.auth = {"334 \r\n", "235 2.7.0 welcome\r\n"};
  KnownServers known;
  transport::Connections connections(known);
  Run run({picky, again});
  run.connections = &connections;
  run.go();
  REQUIRE(run.fate().state == State::delivered);
  CHECK(run.wire.servers.size() == 1);
  run.go();
  REQUIRE(run.fate().state == State::delivered);
  CHECK(run.seen(1).lines.at(3) == "AUTH XOAUTH2");
}

TEST_CASE("reuse: recipients over the limit are split where that is allowed", "[transport]") {
  const std::vector<std::string> five = {"a@x.example", "b@x.example", "c@x.example", "d@x.example",
                                         "e@x.example"};
  Run run({with_chunks()});
  run.account.max_recipients = 2;
  run.message = script::a_message(five);
  SECTION("in parts, over one connection") {
    run.all_or_nothing = false;
    run.go();
    REQUIRE(run.fates.size() == 5);
    for (std::size_t i = 0; i < five.size(); ++i) {
      CHECK(run.fates[i].recipient == five[i]);
      CHECK(run.fates[i].state == State::delivered);
    }
    CHECK(run.wire.servers.size() == 1);
    CHECK(run.seen().messages.size() == 3);
    CHECK(run.seen().quit);
    CHECK(run.trace.find("RCPT TO:<e@x.example>") != std::string::npos);
  }
  SECTION("at once: not at all") {
    run.go();
    CHECK(run.fate().error.fault == Fault::bad_message);
    CHECK(run.wire.servers.empty());
  }
  SECTION("where the provider does not bear it: not at all") {
    run.all_or_nothing = false;
    run.account.one_transaction = true;
    run.go();
    CHECK(run.fate().error.fault == Fault::bad_message);
    CHECK(run.wire.servers.empty());
  }
}

TEST_CASE("addresses: the next one is called when the first is not ready to talk", "[transport]") {
  Behaviour first;
  SECTION("421") {
    first.answers["banner"] = "421 4.3.2 busy\r\n";
  }
  SECTION("closed") {
    first.answers["banner"] = script::close_it;
  }
  Run run({first, with_chunks()});
  run.wire.addresses = 2;
  run.go();
  CHECK(run.fate().state == State::delivered);
  CHECK(run.wire.servers.size() == 2);
}

TEST_CASE("addresses: a second connection begins with the first one again", "[transport]") {
  Behaviour refusing = with_chunks();
  refusing.answers["end"] = "502 5.5.1 what?\r\n";  // by DATA on another connection
  Run run({refusing, with_chunks()});
  run.wire.addresses = 3;
  run.go();
  CHECK(run.fate().state == State::delivered);
  CHECK(run.wire.servers.size() == 2);
  CHECK(run.wire.rounds_begun_late == 0);
}

TEST_CASE("addresses: a refusal of this host, and all of them busy, are the end", "[transport]") {
  Behaviour first;
  std::size_t calls = 1;
  SECTION("554") {
    first.answers["banner"] = "554 5.7.1 go away\r\n";
  }
  SECTION("all busy") {
    first.answers["banner"] = "421 4.3.2 busy\r\n";
    calls = 3;
  }
  Run run({first});
  run.wire.addresses = 3;
  run.go();
  CHECK(run.fate().state != State::delivered);
  CHECK(run.wire.servers.size() == calls);
}

// --- What is known of servers.

namespace {
net::TlsSession a_session(const std::string& bytes) {
  net::TlsSession out;
  out.bytes = base::Secret(bytes);
  out.verified_s = 1'000;
  out.expires_s = 2'000;
  return out;
}
}  // namespace

TEST_CASE("known: a session is given out once, to the same words only", "[transport]") {
  tls_identity::Folder folder;
  for (const auto where : {KnownServers::Where::memory, KnownServers::Where::folder}) {
    KnownServers known(where, folder.path);
    const std::string bytes("der\0\n\xFF", 6);
    known.keep("host\n587", a_session(bytes));
    CHECK_FALSE(known.take("host\n465").has_value());
    if (where == KnownServers::Where::folder) {
      // Another process, the same folder.
      KnownServers other(where, folder.path);
      const std::optional<net::TlsSession> taken = other.take("host\n587");
      REQUIRE(taken.has_value());
      CHECK(taken->bytes.reveal() == bytes);
      CHECK(taken->verified_s == 1'000);
      CHECK(taken->expires_s == 2'000);
    } else {
      CHECK(known.take("host\n587").has_value());
    }
    CHECK_FALSE(known.take("host\n587").has_value());
    known.keep("host\n587", a_session("x"));
    known.forget_sessions();
    CHECK_FALSE(known.take("host\n587").has_value());
    CHECK_FALSE(known.refuses("host:587", KnownServers::Refusal::chunks));
    known.note("host:587", KnownServers::Refusal::chunks);
    CHECK(known.refuses("host:587", KnownServers::Refusal::chunks));
    CHECK_FALSE(known.refuses("host:587", KnownServers::Refusal::initial_response));
    known.forget_sessions();
    CHECK(known.refuses("host:587", KnownServers::Refusal::chunks));
  }
}

TEST_CASE("known: files are ours alone, and others' are not believed", "[transport]") {
  tls_identity::Folder folder;
  KnownServers known(KnownServers::Where::folder, folder.path);
  known.keep("words", a_session("secret"));
  std::string file;
  for (const std::string& one : folder.listed()) {
    if (one.starts_with("tls-")) file = folder.path + "/" + one;
  }
  REQUIRE_FALSE(file.empty());
  struct stat facts {};
  REQUIRE(stat(file.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  SECTION("opened to others") {
    chmod(file.c_str(), 0644);
  }
  SECTION("with a second name") {
    REQUIRE(link(file.c_str(), (file + "2").c_str()) == 0);
  }
  SECTION("a link") {
    REQUIRE(rename(file.c_str(), (file + "2").c_str()) == 0);
    REQUIRE(symlink((file + "2").c_str(), file.c_str()) == 0);
  }
  SECTION("garbage") {
    FILE* out = fopen(file.c_str(), "w");
    fputs("MBT1 1 x\nfoo", out);
    fclose(out);
  }
  SECTION("a folder open to others") {
    chmod(folder.path.c_str(), 0755);
    KnownServers strict(KnownServers::Where::folder, folder.path);
    CHECK_FALSE(strict.take("words").has_value());
    strict.keep("words", a_session("y"));
    strict.note("host:1", KnownServers::Refusal::chunks);
    CHECK_FALSE(strict.refuses("host:1", KnownServers::Refusal::chunks));
    chmod(folder.path.c_str(), 0700);
    return;
  }
  CHECK_FALSE(known.take("words").has_value());
}

TEST_CASE("known: no folder, nothing remembered", "[transport]") {
  KnownServers known(KnownServers::Where::folder, "");
  known.keep("words", a_session("x"));
  known.note("host:1", KnownServers::Refusal::chunks);
  CHECK_FALSE(known.take("words").has_value());
  CHECK_FALSE(known.refuses("host:1", KnownServers::Refusal::chunks));
}

TEST_CASE("known: what is older than an hour is swept away", "[transport]") {
  tls_identity::Folder folder;
  KnownServers known(KnownServers::Where::folder, folder.path);
  known.keep("old", a_session("x"));
  const std::string file = folder.path + "/" + folder.listed().at(0);
  const timespec then[] = {{1'000, 0}, {1'000, 0}};
  REQUIRE(utimensat(AT_FDCWD, file.c_str(), then, 0) == 0);
  known.note("host:1", KnownServers::Refusal::chunks);
  known.keep("new", a_session("y"));
  CHECK_FALSE(known.take("old").has_value());
  CHECK(known.take("new").has_value());
  CHECK(known.refuses("host:1", KnownServers::Refusal::chunks));
}
