#include "queue/bounce.h"

#include "catch.h"
#include "mail/prepare.h"
#include "queue/storm.h"
#include "queue_stand.h"

using namespace queue_stand;
using queue::Addressee;
using queue::BounceFacts;
using queue::Notice;

namespace {

mail::Recipient recipient(const std::string& address, const std::string& notify = {}) {
  mail::Recipient out;
  out.mailbox = *mail::parse_mailbox(address);
  out.notify = notify;
  return out;
}

BounceFacts facts_for(const mail::Recipient& to) {
  BounceFacts facts;
  facts.id = std::string(32, 'a');
  facts.of = std::string(32, 'b');
  facts.now_wall_s = 1'800'000'600;
  facts.arrived_wall_s = 1'800'000'000;
  facts.until_wall_s = 1'800'400'000;
  facts.account = "work";
  base::Error error = base::failure(base::Fault::bad_recipient, "recipient unknown (account work)",
                                    "run: mailbearer doctor work");
  error.said = "550 5.1.1 <bad@x.example> user unknown";
  error.status = "5.1.1";
  facts.failures.push_back({to, error});
  return facts;
}

std::string text_of(const mail::Submission& submission) {
  return submission.message.header.text() + "\r\n" + *submission.message.bytes.all(1 << 20);
}

bool holds(const std::string& text, const std::string& piece) {
  return text.find(piece) != std::string::npos;
}

}  // namespace

TEST_CASE("NOTIFY is obeyed") {
  CHECK(queue::is_wanted(Notice::failed, recipient("a@x.example")));
  CHECK(queue::is_wanted(Notice::delayed, recipient("a@x.example")));
  CHECK_FALSE(queue::is_wanted(Notice::relayed, recipient("a@x.example")));
  for (const Notice notice : {Notice::failed, Notice::delayed, Notice::relayed})
    CHECK_FALSE(queue::is_wanted(notice, recipient("a@x.example", "NEVER")));
  CHECK(queue::is_wanted(Notice::relayed, recipient("a@x.example", "SUCCESS,FAILURE")));
  CHECK(queue::is_wanted(Notice::failed, recipient("a@x.example", "success,failure")));
  CHECK_FALSE(queue::is_wanted(Notice::delayed, recipient("a@x.example", "SUCCESS,FAILURE")));
  CHECK_FALSE(queue::is_wanted(Notice::failed, recipient("a@x.example", "DELAY")));
}

TEST_CASE("who is told") {
  const mail::SenderRules rules = account_named("work").rules;
  const auto to = [&](const std::string& from) {
    return queue::addressee(submission({"x@x.example"}, from).envelope, rules);
  };
  CHECK(to("app@corp.example").mailboxes.at(0).text() == "app@corp.example");
  CHECK_FALSE(to("app@corp.example").inside);
  CHECK(to("root").mailboxes.at(0).text() == "root");
  CHECK(to("root@localhost").mailboxes.at(0).text() == "root@localhost");
  CHECK(to("stranger@elsewhere.example").mailboxes.at(0).text() == "ops@corp.example");
  CHECK(to("stranger@elsewhere.example").inside);
  CHECK(to("<>").mailboxes.empty());
  mail::SenderRules nobody = rules;
  nobody.local_mail_to.clear();
  CHECK(queue::addressee(submission({"x@x.example"}, "stranger@elsewhere.example").envelope, nobody)
            .mailboxes.empty());
}

TEST_CASE("a bounce says what RFC 3464 asks for, and no internals to a sender") {
  const mail::SenderRules rules = account_named("work").rules;
  mail::Submission of = submission({"bad@x.example"}, "app@corp.example");
  of.envelope.envid = "QQ+2B314";
  mail::Recipient bad = recipient("bad@x.example");
  bad.orcpt = "rfc822;bad+2Bmore@x.example";
  const Addressee to = queue::addressee(of.envelope, rules);
  const mail::Submission bounce =
      std::move(*queue::make_bounce(facts_for(bad), of.envelope, of.message, rules, to));
  const std::string text = text_of(bounce);
  CHECK(bounce.envelope.sender_given);
  CHECK(bounce.envelope.sender.null());
  CHECK(bounce.envelope.recipients.at(0).mailbox.text() == "app@corp.example");
  CHECK(bounce.envelope.recipients.at(0).notify == "NEVER");
  for (const char* piece :
       {"Content-Type: multipart/report; report-type=delivery-status;",
        "Auto-Submitted: auto-replied", "Reporting-MTA: dns; corp.example",
        "Original-Envelope-Id: QQ+314",
        "Arrival-Date: ", "Original-Recipient: rfc822;bad+more@x.example",
        "Final-Recipient: rfc822;bad@x.example", "Action: failed", "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 <bad@x.example> user unknown",
        "Content-Type: message/rfc822", "References: <1@corp.example>", "Hello."})
    CHECK(holds(text, piece));
  CHECK_FALSE(holds(text, "doctor"));
  CHECK_FALSE(holds(text, "account"));
  CHECK_FALSE(holds(text, "hidden@x.example"));
  SECTION("it can be prepared and leaves as mail of the account") {
    base::Result<mail::Prepared> prepared = mail::prepare(
        std::move(*queue::make_bounce(facts_for(bad), of.envelope, of.message, rules, to)), rules);
    REQUIRE(prepared.ok());
    CHECK(holds(prepared->message.header.text(), "me@corp.example"));
  }
  SECTION("who runs the host reads all") {
    const Addressee ops{{*mail::parse_mailbox("ops@corp.example")}, true};
    const std::string inside =
        text_of(*queue::make_bounce(facts_for(bad), of.envelope, of.message, rules, ops));
    CHECK(holds(inside, "run: mailbearer doctor work"));
    CHECK(holds(inside, "for account work"));
  }
  SECTION("RET=HDRS and large messages: the header alone") {
    of.envelope.ret = "HDRS";
    CHECK(holds(text_of(*queue::make_bounce(facts_for(bad), of.envelope, of.message, rules, to)),
                "Content-Type: text/rfc822-headers"));
    mail::Submission large = submission({"bad@x.example"}, "app@corp.example",
                                        std::string(70, 'x') + "\r\n" + std::string(60'000, 'y'));
    const std::string short_text =
        text_of(*queue::make_bounce(facts_for(bad), large.envelope, large.message, rules, to));
    CHECK(holds(short_text, "Content-Type: text/rfc822-headers"));
    CHECK(short_text.size() < 10'000);
  }
  SECTION("a delay, a handing on") {
    BounceFacts delay = facts_for(bad);
    delay.notice = Notice::delayed;
    const std::string late =
        text_of(*queue::make_bounce(delay, of.envelope, of.message, rules, to));
    CHECK(holds(late, "Action: delayed"));
    CHECK(holds(late, "Will-Retry-Until: "));
    CHECK(holds(late, "Status: 4.0.0"));
    delay.notice = Notice::relayed;
    CHECK(holds(text_of(*queue::make_bounce(delay, of.envelope, of.message, rules, to)),
                "Action: relayed"));
  }
}

TEST_CASE("hostile words stay words") {
  const mail::SenderRules rules = account_named("work").rules;
  mail::Submission of = submission({"bad@x.example"}, "app@corp.example");
  of.message.header.find("Subject")->body = " a\r\n b\x1b[2J\xff";
  of.message.header.append("X-Raw", "gr\xc3\xbc\xc3\x9f");
  BounceFacts facts = facts_for(recipient("j\xc3\xbcrgen@x.example"));
  facts.failures[0].error.said = "550 no\r\nBcc: evil@x.example\x1b[31m" + std::string(5000, 'z');
  const mail::Submission bounce = std::move(*queue::make_bounce(
      facts, of.envelope, of.message, rules, queue::addressee(of.envelope, rules)));
  const std::string text = text_of(bounce);
  CHECK_FALSE(holds(text, "\x1b"));
  CHECK_FALSE(holds(text, "\r\nBcc:"));
  CHECK(holds(text, "Final-Recipient: utf-8;j\\x{FC}rgen@x.example"));
  CHECK_FALSE(bounce.message.body_has_long_line);
  CHECK(bounce.message.header.text().find("\xff") == std::string::npos);
}

TEST_CASE("one a sender and cause, then a summary") {
  queue::Storm storm(600'000);
  CHECK(storm.may_tell("a", "1", begin_ms));
  CHECK(storm.may_tell("b", "2", begin_ms));
  CHECK_FALSE(storm.may_tell("a", "3", begin_ms + 1000));
  CHECK_FALSE(storm.may_tell("a", "4", begin_ms + 2000));
  CHECK(storm.due(begin_ms + 599'999).empty());
  const auto due = storm.due(begin_ms + 600'000);
  REQUIRE(due.size() == 1);
  CHECK(due[0] == std::vector<std::string>{"3", "4"});
  CHECK_FALSE(storm.may_tell("a", "5", begin_ms + 700'000));
  CHECK(storm.due(begin_ms + 1'200'000).at(0) == std::vector<std::string>{"5"});
  storm.due(begin_ms + 9'000'000);
  CHECK(storm.may_tell("a", "6", begin_ms + 9'000'001));
}
