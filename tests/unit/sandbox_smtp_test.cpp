#include "catch.h"
#include "sandbox_client.h"

using namespace sandbox_test;
using sandbox::Json;
using sandbox::Options;

namespace {

const std::string me = "me@sandbox.example";

std::string message(const std::string& from = me) {
  return "From: " + from +
         "\r\nTo: a@b.example\r\nMessage-ID: <m@x>\r\n\r\nHello\r\n..dot\r\n.\r\n";
}

std::string deliver(Client& client, const std::string& to, const std::string& text = message()) {
  client.ask("MAIL FROM:<" + me + ">");
  client.ask("RCPT TO:<" + to + ">");
  const std::string go = client.ask("DATA");
  if (go.substr(0, 3) != "354") return go;
  client.send(text);
  return client.reply();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("sandbox: greeting, EHLO lists and replies are those of Exchange Online", "[sandbox]") {
  Running running;
  REQUIRE(running.box);
  Client client(running.places().smtp_port, running.places().ca_file);
  CHECK(has(client.reply(), "Microsoft ESMTP MAIL Service ready at "));
  CHECK(client.ask("MAIL FROM:<a@b>").substr(0, 9) == "503 5.5.2");
  const std::string plain = client.ask("EHLO test.example");
  for (const char* one : {"SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "STARTTLS",
                          "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"}) {
    CHECK(has(plain, one));
  }
  CHECK_FALSE(has(plain, "AUTH"));
  CHECK(client.ask("AUTH XOAUTH2 " + xoauth2(me, "t")).substr(0, 9) == "504 5.7.4");
  CHECK(client.ask("MAIL FROM:<a@b>").substr(0, 10) == "530 5.7.57");
  CHECK(client.ask("FROB").substr(0, 9) == "500 5.3.3");
  CHECK(client.ask("STARTTLS") == "220 2.0.0 SMTP server ready");
  REQUIRE(client.start_tls());
  CHECK(client.ask("MAIL FROM:<a@b>").substr(0, 3) == "503");
  const std::string inside = client.ask("EHLO test.example");
  CHECK(has(inside, "AUTH LOGIN XOAUTH2"));
  CHECK_FALSE(has(inside, "STARTTLS"));
  CHECK_FALSE(has(inside, "OAUTHBEARER"));
  CHECK(client.ask("QUIT").substr(0, 3) == "221");
}

TEST_CASE("sandbox: a whole delivery keeps the bytes and the envelope", "[sandbox]") {
  Running running;
  REQUIRE(running.box);
  const Answer token = refresh(running, first_refresh_token(running));
  REQUIRE(token.status == 200);
  Client client(running.places().smtps_port, running.places().ca_file);
  REQUIRE(client.start_tls());
  client.reply();
  client.ask("EHLO test.example");
  REQUIRE(client.ask("AUTH XOAUTH2") == "334 ");
  REQUIRE(client.ask(xoauth2(me, token.json()["access_token"])).substr(0, 9) == "235 2.7.0");
  client.send("MAIL FROM:<" + me +
              "> BODY=8BITMIME SIZE=70 RET=HDRS\r\n"
              "RCPT TO:<a@b.example> NOTIFY=NEVER\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
  CHECK(client.reply() == "250 2.1.0 Sender OK");
  CHECK(client.reply() == "250 2.1.5 Recipient OK");
  CHECK(client.reply() == "250 2.1.5 Recipient OK");
  CHECK(client.reply().substr(0, 3) == "354");
  client.send(message());
  const std::string last = client.reply();
  CHECK(last.substr(0, 20) == "250 2.0.0 OK <m@x> [");
  CHECK(has(last, "[Hostname="));
  REQUIRE(running.mails().size() == 1);
  CHECK(running.file(running.mails()[0]) ==
        "X-Mailbearer-Sandbox: 1\r\nX-Envelope-From: <" + me +
            ">\r\nX-Envelope-To: <a@b.example>\r\nX-Envelope-To: <c@d.example>\r\n"
            "X-Envelope-Params: BODY=8BITMIME SIZE=70 RET=HDRS\r\n"
            "X-Envelope-To-Params: <a@b.example> NOTIFY=NEVER\r\nX-Auth-User: " +
            me +
            "\r\n"
            "From: " +
            me + "\r\nTo: a@b.example\r\nMessage-ID: <m@x>\r\n\r\nHello\r\n.dot\r\n");
  CHECK(running.unfinished() == 0);
  CHECK(running.box->journal().count("token.refresh_token ok") == 1);
  CHECK(running.box->journal().count("smtp.kept") == 1);
  CHECK_FALSE(has(running.file("journal.jsonl"), token.json()["access_token"]));
}

TEST_CASE("sandbox: tokens are checked for life, user and resource", "[sandbox]") {
  Running running;
  REQUIRE(running.box);
  const std::string token = refresh(running, first_refresh_token(running)).json()["access_token"];
  const std::string graph =
      refresh(running, first_refresh_token(running), "https://graph.microsoft.com/Mail.Send")
          .json()["access_token"];
  const auto client = secured(running);
  REQUIRE(client);
  const auto answer = [&](const std::string& user, const std::string& used) {
    return client->ask("AUTH XOAUTH2 " + xoauth2(user, used)).substr(0, 35);
  };
  const std::string no = "535 5.7.3 Authentication unsuccessf";
  CHECK(answer(me, "unknown") == no);
  CHECK(answer("scanner@sandbox.example", token) == no);
  CHECK(answer(me, graph) == no);
  CHECK(control(running, "expire", {{"what", "access"}}).status == 200);
  CHECK(answer(me, token) == no);
  CHECK(running.box->journal().count("smtp.auth.refused expired token") == 1);
  const std::string fresh = refresh(running, first_refresh_token(running)).json()["access_token"];
  CHECK(control(running, "smtp-auth", {{"enabled", false}}).status == 200);
  CHECK(client->ask("AUTH XOAUTH2 " + xoauth2(me, fresh)).substr(0, 11) == "535 5.7.139");
  CHECK(control(running, "reset", Json::object()).status == 200);
  CHECK(answer(me, fresh).substr(0, 3) == "235");
  CHECK(answer(me, fresh).substr(0, 3) == "503");
}

TEST_CASE("sandbox: an error challenge wants the empty line, then says 535 (P11)", "[sandbox]") {
  Options options;
  options.challenge = true;
  options.oauthbearer = true;
  Running running(options);
  REQUIRE(running.box);
  const auto client = secured(running);
  const std::string json = client->ask("AUTH XOAUTH2 " + xoauth2(me, "bad"));
  REQUIRE(json.substr(0, 4) == "334 ");
  const auto plain = base::from_base64(json.substr(4));
  REQUIRE(plain);
  CHECK(sandbox::read_json(*plain)["status"] == "401");
  CHECK(client->ask("").substr(0, 9) == "535 5.7.8");
  client->ask("AUTH OAUTHBEARER " + base::base64("n,a=" + me +
                                                 ",\x01"
                                                 "auth=Bearer bad\x01\x01"));
  CHECK(client->ask("AQ==").substr(0, 9) == "535 5.7.8");
  CHECK(running.box->journal().count("smtp.auth.challenge answered") == 2);
}

TEST_CASE("sandbox: plain bytes behind STARTTLS end the dialogue (P10)", "[sandbox]") {
  Running running;
  REQUIRE(running.box);
  Client client(running.places().smtp_port, running.places().ca_file);
  client.reply();
  client.ask("EHLO test.example");
  client.send("STARTTLS\r\nMAIL FROM:<a@b>\r\n");
  CHECK(client.reply().substr(0, 3) == "503");
  CHECK(client.reply().empty());
}

TEST_CASE("sandbox: senders without right, bare line feeds and long lines are refused",
          "[sandbox]") {
  Running running;
  REQUIRE(running.box);
  const auto client = signed_in(running);
  CHECK(client->ask("MAIL FROM:<you@sandbox.example>").substr(0, 10) == "550 5.7.60");
  CHECK(client->ask("MAIL FROM:<>").substr(0, 10) == "550 5.7.60");
  CHECK(client->ask("MAIL FROM:<" + me + "> SIZE=200000000").substr(0, 9) == "552 5.3.4");
  CHECK(client->ask("MAIL FROM:<" + me + "> FROB=1").substr(0, 9) == "501 5.5.4");
  CHECK(client->ask("DATA").substr(0, 3) == "503");
  CHECK(deliver(*client, "a@b.example", message("you@x.example")).substr(0, 11) == "554 5.2.252");
  CHECK(deliver(*client, "a@b.example", "From: " + me + "\r\n\r\na\nb\r\n.\r\n").substr(0, 10) ==
        "550 5.6.11");
  CHECK(deliver(*client, "a@b.example",
                "From: " + me + "\r\n\r\n" + std::string(999, 'x') + "\r\n.\r\n")
            .substr(0, 9) == "554 5.6.0");
  CHECK(deliver(*client, "a@b.example").substr(0, 3) == "250");
  CHECK(running.mails().size() == 1);
  CHECK(running.unfinished() == 0);
}

TEST_CASE("sandbox: BDAT is offered and refused, unless it is asked for", "[sandbox]") {
  {
    Running running;
    const auto client = signed_in(running);
    client->ask("MAIL FROM:<" + me + ">");
    client->ask("RCPT TO:<a@b.example>");
    CHECK(client->ask("BDAT 5 LAST\r\nabc") == "552 5.3.4 Header size exceeds fixed maximum size");
    CHECK(client->ask("NOOP").substr(0, 3) == "250");
  }
  Options options;
  options.chunking = true;
  options.replace_message_id = true;
  Running running(options);
  const auto client = signed_in(running);
  client->ask("MAIL FROM:<" + me + ">");
  client->ask("RCPT TO:<a@b.example>");
  const std::string head = "From: " + me + "\r\nMessage-ID: <old@x>\r\n";
  client->send("BDAT " + std::to_string(head.size()) + "\r\n" + head);
  CHECK(client->reply().substr(0, 3) == "250");
  const std::string last = client->ask("BDAT 8 LAST\r\n\r\n.\r\nx");
  CHECK(last.substr(0, 3) == "250");
  REQUIRE(running.mails().size() == 1);
  const std::string kept = running.file(running.mails()[0]);
  const std::string id = last.substr(13, last.find('>') - 12);
  CHECK(has(kept, "Message-ID: " + id + "\r\n"));
  CHECK(has(kept, "X-Microsoft-Original-Message-ID: <old@x>\r\n"));
  CHECK(has(kept, "\r\n\r\n.\r\nx\r\n"));
}

TEST_CASE("sandbox: faults by recipient strike at their stages", "[sandbox]") {
  Running running;
  const auto client = signed_in(running);
  client->ask("MAIL FROM:<" + me + ">");
  CHECK(client->ask("RCPT TO:<fault+550-5.1.1@b.example>").substr(0, 9) == "550 5.1.1");
  CHECK(client->ask("RCPT TO:<fault+451-times-1@b.example>").substr(0, 3) == "451");
  CHECK(client->ask("RCPT TO:<fault+451-times-1@b.example>").substr(0, 3) == "250");
  CHECK(client->ask("RCPT TO:<fault+nonsense@b.example>").substr(0, 9) == "501 5.1.3");
  client->ask("RSET");
  CHECK(deliver(*client, "fault+432-4.3.2-at-end@b.example").substr(0, 9) == "432 4.3.2");
  CHECK(running.mails().empty());
  CHECK(deliver(*client, "fault+close-after-dot@b.example").empty());
  CHECK(running.mails().size() == 1);
  const auto second = signed_in(running);
  CHECK(deliver(*second, "fault+close-at-data@b.example").empty());
  const auto third = signed_in(running);
  CHECK(deliver(*third, "fault+close-at-mid-data@b.example").empty());
  CHECK(running.mails().size() == 1);
  for (int i = 0; i < 100 && running.unfinished() > 0; ++i) usleep(20000);
  CHECK(running.unfinished() == 0);
}

TEST_CASE("sandbox: faults by the control endpoint strike once, TLS ones too (P9)", "[sandbox]") {
  Running running;
  CHECK(http(running, "POST", "/control/reset", "{}", "application/json", "Bearer no").status ==
        401);
  CHECK(control(running, "fault", {{"stage", "nowhere"}, {"action", "close"}}).status == 400);
  REQUIRE(control(running, "fault", {{"stage", "banner"}, {"reply", "421 4.3.2 busy"}}).status ==
          200);
  {
    Client client(running.places().smtp_port, running.places().ca_file);
    CHECK(client.reply() == "421 4.3.2 busy");
    CHECK(client.reply().empty());
  }
  struct Row {
    const char* kind;
    long reason;
  };
  for (const Row& row : {Row{"expired", X509_V_ERR_CERT_HAS_EXPIRED},
                         Row{"not-yet-valid", X509_V_ERR_CERT_NOT_YET_VALID},
                         Row{"wrong-name", X509_V_ERR_IP_ADDRESS_MISMATCH},
                         Row{"self-signed", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT}}) {
    REQUIRE(control(running, "fault", {{"stage", "tls"}, {"certificate", row.kind}}).status == 200);
    Client client(running.places().smtps_port, running.places().ca_file);
    CHECK_FALSE(client.start_tls());
    CHECK(client.verify_result() == row.reason);
  }
  CHECK(secured(running) != nullptr);
}

TEST_CASE("sandbox: the limits of a mailbox answer 432 at the end of the data", "[sandbox]") {
  Options options;
  options.messages_per_minute = 2;
  options.recipient_limit = 2;
  Running running(options);
  const auto client = signed_in(running);
  CHECK(deliver(*client, "a@b.example").substr(0, 3) == "250");
  CHECK(deliver(*client, "a@b.example").substr(0, 3) == "250");
  CHECK(deliver(*client, "a@b.example").substr(0, 9) == "432 4.3.2");
  CHECK(control(running, "limits", {{"connections", 1}}).status == 200);
  CHECK(deliver(*client, "a@b.example").substr(0, 3) == "250");
  const auto second = signed_in(running);
  CHECK(has(deliver(*client, "a@b.example"), "432 4.3.2 Concurrent connections limit exceeded"));
  client->ask("MAIL FROM:<" + me + ">");
  client->ask("RCPT TO:<a@b.example>");
  client->ask("RCPT TO:<b@b.example>");
  CHECK(client->ask("RCPT TO:<c@b.example>").substr(0, 9) == "452 4.5.3");
}

TEST_CASE("sandbox: capabilities can be switched off, and are then refused", "[sandbox]") {
  Options options;
  options.without = {"SIZE", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "PIPELINING"};
  Running running(options);
  const auto client = signed_in(running);
  const std::string list = client->ask("EHLO again.example");
  for (const std::string& one : options.without) CHECK_FALSE(has(list, one));
  CHECK(client->ask("MAIL FROM:<" + me + "> BODY=8BITMIME").substr(0, 3) == "501");
  CHECK(client->ask("MAIL FROM:<" + me + ">") == "250 Sender OK");
  client->ask("RCPT TO:<a@b.example>");
  client->ask("DATA");
  client->send("From: " + me + "\r\n\r\n\xc3\xa4\r\n.\r\n");
  CHECK(client->reply().substr(0, 3) == "554");
  client->send("NOOP\r\nNOOP\r\n");
  CHECK(client->reply().substr(0, 3) == "503");
}

TEST_CASE("sandbox: hostile bytes end in a reply or the end of the connection", "[sandbox]") {
  Options options;
  options.timeout_s = 2;
  Running running(options);
  {
    Client client(running.places().smtp_port, running.places().ca_file);
    client.reply();
    client.send(std::string(1'000'000, 'A') + "\r\n");
    CHECK(client.reply().substr(0, 3) == "500");
    CHECK(client.ask(std::string("EHLO \x00\xff", 7)).substr(0, 3) == "250");
    client.send("NOOP\n");
    CHECK(client.reply().substr(0, 3) == "500");
    CHECK(client.reply().empty());
  }
  Client silent(running.places().smtp_port, running.places().ca_file);
  silent.reply();
  CHECK(silent.reply().substr(0, 9) == "421 4.4.1");
}
