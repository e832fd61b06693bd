#include "mail/prepare.h"

#include <random>

#include "base/text.h"
#include "catch.h"
#include "mail/mime.h"
#include "mail/read.h"

namespace {

using RewriteFrom = mail::SenderRules::RewriteFrom;

mail::SenderRules site() {
  mail::SenderRules rules;
  rules.account = "site";
  rules.user = {"noreply", "contoso.com"};
  rules.from = {"noreply@contoso.com"};
  rules.rewrite_from = RewriteFrom::automatic;
  rules.sender_domain = "contoso.com";
  rules.local_domains = {"localhost", "vm"};
  rules.local_mail_to = {mail::Mailbox{"ops", "contoso.com"}};
  return rules;
}

mail::Submission submission(const std::string& text,
                            std::initializer_list<mail::Mailbox> recipients = {{"bob", "x.org"}}) {
  base::Scratch normal;
  mail::LineEnds ends(normal);
  REQUIRE(ends.feed(text).ok());
  REQUIRE(ends.finish().ok());
  mail::Submission made;
  made.id = "00112233445566778899aabb00ddeeff";
  made.at = 1795213934;
  made.message = std::move(mail::split(std::move(normal))).value();
  for (const mail::Mailbox& one : recipients) made.envelope.recipients.push_back({one});
  return made;
}

std::string text_of(const mail::Prepared& prepared) {
  const auto all = mail::whole(prepared);
  REQUIRE(all.ok());
  const std::string text = all.value().all(10 << 20).value();
  CHECK(text.size() == prepared.size_bytes());
  return text;
}

std::string prepared_text(const std::string& text) {
  const auto prepared = mail::prepare(submission(text), site());
  if (!prepared.ok()) return "error: " + prepared.error().cause;
  return text_of(prepared.value());
}

std::string recipients_of(const mail::Prepared& prepared) {
  std::string out;
  for (const mail::Recipient& one : prepared.envelope.recipients) out += one.mailbox.text() + " ";
  return out;
}

}  // namespace

TEST_CASE("prepare: cron's message comes out whole, its body untouched", "[mail]") {
  const auto prepared = mail::prepare(
      submission("From: root (Cron Daemon)\nTo: alice\n"
                 "Subject: Cron <alice@vm> echo hi \xc3\xa9\nMIME-Version: 1.0\n"
                 "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
                 "X-Cron-Env: <SHELL=/bin/sh>\n\n.\n..x\nFrom y \xc3\xa9\nno newline",
                 {{"alice", ""}}),
      site());
  REQUIRE(prepared.ok());
  CHECK(prepared.value().envelope.sender.text() == "noreply@contoso.com");
  CHECK(recipients_of(prepared.value()) == "ops@contoso.com ");
  CHECK_FALSE(prepared.value().needs_smtputf8());
  const std::string text = text_of(prepared.value());
  CHECK(text.rfind("Received: by contoso.com id 00112233445566778899aabb00ddeeff; ", 0) == 0);
  CHECK(text.find("\r\nFrom: noreply@contoso.com (Cron Daemon)\r\nTo: alice@contoso.com\r\n"
                  "Subject: Cron <alice@vm> echo hi =?utf-8?Q?=C3=A9?=\r\nMIME-Version: 1.0\r\n") !=
        std::string::npos);
  CHECK(text.find("X-Cron-Env: <SHELL=/bin/sh>\r\nDate: ") != std::string::npos);
  CHECK(text.ends_with("\r\n\r\n.\r\n..x\r\nFrom y \xc3\xa9\r\nno newline\r\n"));
}

TEST_CASE("prepare: R33: Bcc and Resent-Bcc never leave, in any spelling", "[mail]") {
  const std::string text =
      prepared_text("BCC: a@x\nbcc : b@x,\n c@x\nResent-bcc: d@x\nTo: e@x\nBcc:\n\nBcc: body\n");
  CHECK(base::lower(text.substr(0, text.find("\r\n\r\n"))).find("bcc") == std::string::npos);
  CHECK(text.find("c@x") == std::string::npos);
  CHECK(text.ends_with("\r\n\r\nBcc: body\r\n"));
  mail::Submission odd = submission("To: e@x\n\nbody\n");
  odd.message.header.fields.push_back({"Bcc \t", " z@x"});
  const auto prepared = mail::prepare(std::move(odd), site());
  CHECK(text_of(prepared.value()).find("z@x") == std::string::npos);
}

TEST_CASE("prepare: R39: Return-Path and Content-Length are dropped", "[mail]") {
  const std::string text =
      prepared_text("return-path: <x@y>\nContent-length: 4\nSubject: s\n\nbody\n");
  CHECK(base::lower(text).find("return-path") == std::string::npos);
  CHECK(base::lower(text).find("content-length") == std::string::npos);
}

TEST_CASE("prepare: over 30 Received fields are a loop", "[mail]") {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "Received: by x\n";
  CHECK(prepared_text(text + "\nbody\n").find("error") == std::string::npos);
  const auto looped = mail::prepare(submission("received: by x\n" + text + "\nbody\n"), site());
  REQUIRE_FALSE(looped.ok());
  CHECK(looped.error().fault == base::Fault::bad_message);
  CHECK(looped.error().cause.find("loop") != std::string::npos);
}

TEST_CASE("prepare: R38: a message without header, without body, without anything", "[mail]") {
  for (const char* text : {"", "\n", "just text\n", "Subject: only", "\n\nbody"}) {
    const std::string out = prepared_text(text);
    CHECK(out.find("\r\nFrom: noreply@contoso.com\r\n") != std::string::npos);
    CHECK(out.find("\r\nTo: undisclosed-recipients:;\r\n") != std::string::npos);
    CHECK(out.find("\r\n\r\n") != std::string::npos);
  }
  CHECK(prepared_text("just text\n").ends_with("\r\n\r\njust text\r\n"));
  CHECK(prepared_text("Subject: only").find("\r\nSubject: only\r\n") != std::string::npos);
}

TEST_CASE("prepare: Bcc alone leaves an undisclosed list", "[mail]") {
  CHECK(prepared_text("Bcc: a@x\nTo:\n\nx\n").find("\r\nTo: undisclosed-recipients:;\r\n") !=
        std::string::npos);
}

TEST_CASE("prepare: no recipient is 65, a sender that may not be used 77", "[mail]") {
  CHECK(mail::prepare(submission("To: a@x\n\nx\n", {}), site()).error().fault ==
        base::Fault::bad_message);
  mail::SenderRules strict = site();
  strict.rewrite_from = RewriteFrom::never;
  CHECK(mail::prepare(submission("From: me@kernel.org\n\nx\n"), strict).error().fault ==
        base::Fault::not_permitted);
  strict.local_mail_to.clear();
  CHECK(mail::prepare(submission("From: noreply@contoso.com\n\nx\n", {{"root", ""}}), strict)
            .error()
            .fault == base::Fault::bad_recipient);
}

TEST_CASE("prepare: the same submission yields the same bytes", "[mail]") {
  const std::string text = "Subject: \xc3\xa9\nTo: bob@x\n\nbody\n";
  CHECK(prepared_text(text) == prepared_text(text));
}

TEST_CASE("prepare: what is whole already gains a Received field and nothing else", "[mail]") {
  const std::string whole =
      "Resent-To: bob@example.org\r\nResent-From: root <noreply@contoso.com>\r\n"
      "Resent-Date: Fri, 20 Nov 2026 20:26:39 +0000\r\nResent-Message-ID: <p@example.org>\r\n"
      "From: \"A, B\"\r\n\t<noreply@contoso.com>\r\nTo: old@example.org ,\r\n  b@x\r\n"
      "Subject:  two  blanks \r\nDate: Fri, 20 Nov 2026 20:25:37 +0000\r\nMessage-ID: <x@y>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nbody  \r\n\r\n.\r\n";
  const std::string out = prepared_text(whole);
  CHECK(out.substr(out.find("\r\n") + 2) == whole);
}

TEST_CASE("prepare: SMTPUTF8 is asked for only when an address needs it", "[mail]") {
  const auto needs = [](const std::string& text, mail::Mailbox to) {
    return mail::prepare(submission(text, {std::move(to)}), site()).value().needs_smtputf8();
  };
  CHECK_FALSE(needs("Subject: \xc3\xa9\nTo: B\xc3\xb6 <b@ex\xc3\xa4mple.org>\n\n\xc3\xa9\n",
                    {"b", "ex\xc3\xa4mple.org"}));
  CHECK_FALSE(needs("Subject: \xe9 latin\n\nx\n", {"b", "x.org"}));
  CHECK(needs("Subject: x\n\nx\n", {"b\xc3\xb6", "x.org"}));
  CHECK(needs("To: b\xc3\xb6@x.org\n\nx\n", {"b", "x.org"}));
}

TEST_CASE("prepare: other bytes for the whole are read anew", "[mail]") {
  auto prepared = mail::prepare(submission("Subject: s\n\nsome words, \xc3\xa9\n"), site());
  REQUIRE(prepared.ok());
  REQUIRE(mail::needs_reencoding(prepared.value().message, false));
  auto all = mail::whole(prepared.value());
  auto again = mail::reencode_with_gmime(all.value(), true);
  REQUIRE(again.ok());
  REQUIRE(mail::replace_whole(prepared.value(), std::move(again).value()).ok());
  CHECK_FALSE(mail::needs_reencoding(prepared.value().message, false));
  const std::string text = text_of(prepared.value());
  CHECK(text.find("Content-Transfer-Encoding: quoted-printable\r\n") != std::string::npos);
  CHECK(text.find("charset=utf-8") != std::string::npos);
  CHECK(text.ends_with("\r\n\r\nsome words, =C3=A9\r\n"));
}

TEST_CASE("prepare: fields of any maker hold line ends only as folds, and no NUL", "[mail]") {
  mail::Submission made = submission("To: a@x\n\nx\n");
  made.message.header.fields.push_back({"X-A", " a\r\nX-B: c\rd\ne\r\n \t\r\n f\r\n  "});
  const auto prepared = mail::prepare(std::move(made), site());
  REQUIRE(prepared.ok());
  CHECK(prepared.value().message.header.find("X-A")->body == " a  X-B: c d e\r\n f");
  mail::Submission nul = submission("To: a@x\n\nx\n");
  nul.message.header.fields.push_back({"X-A", std::string(" a\0b", 4)});
  CHECK(mail::prepare(std::move(nul), site()).error().fault == base::Fault::bad_message);
}

TEST_CASE("prepare: property: any header leaves as one header of sound lines", "[mail]") {
  std::mt19937 random(41);
  const std::vector<std::string> names = {"From",        "To",           "Cc",       "Bcc",
                                          "Subject",     "Sender",       "Reply-To", "Resent-To",
                                          "Resent-From", "Resent-Date",  "Date",     "Message-ID",
                                          "References",  "Content-Type", "X",        "Received"};
  const std::vector<std::string> pieces = {"root",
                                           "bob@x.org",
                                           "<",
                                           ">",
                                           "\"",
                                           "(",
                                           ")",
                                           ",",
                                           ";",
                                           ":",
                                           " ",
                                           "\n ",
                                           "\r\n\t",
                                           "\r",
                                           "\xc3\xa9",
                                           "\xff",
                                           "\\",
                                           "@",
                                           "multipart/signed",
                                           "=?utf-8?Q?a?=",
                                           "[",
                                           "Bob Smith",
                                           std::string(400, 'y'),
                                           " \n \n ",
                                           "<>",
                                           "noreply@contoso.com",
                                           "\n",
                                           "..",
                                           "\x01"};
  int sound = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string text;
    for (std::size_t field = random() % 8; field > 0; --field) {
      text += names[random() % names.size()] + (random() % 9 == 0 ? " :" : ": ");
      for (std::size_t i = random() % 8; i > 0; --i) text += pieces[random() % pieces.size()];
      text += "\n";
    }
    mail::SenderRules rules = site();
    rules.rewrite_from = static_cast<RewriteFrom>(random() % 3);
    rules.null_sender = random() % 2 == 0;
    mail::Submission made =
        submission(text + "\nbody \xc3\xa9\n", {{"bob", "x.org"}, {"root", ""}});
    made.envelope.sender_given = random() % 2 == 0;
    const auto prepared = mail::prepare(std::move(made), rules);
    if (!prepared.ok()) {
      REQUIRE_FALSE(prepared.error().cause.empty());
      REQUIRE_FALSE(base::has_control(prepared.error().cause));
      continue;
    }
    ++sound;
    INFO(text);
    const std::string header = prepared.value().message.header.text();
    INFO(header);
    REQUIRE(header.find('\0') == std::string::npos);
    REQUIRE(base::is_utf8(header));
    for (std::string_view rest = header; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      REQUIRE(end != std::string_view::npos);
      REQUIRE(end > 1);
      REQUIRE(rest[end - 1] == '\r');
      const std::string_view line = rest.substr(0, end - 1);
      REQUIRE(line.find('\r') == std::string_view::npos);
      REQUIRE(line.size() <= 998);
      REQUIRE_FALSE(base::trim(line).empty());
      rest.remove_prefix(end + 1);
    }
    for (const char* once : {"From", "To", "Date", "Message-ID"})
      REQUIRE((prepared.value().message.header.find(once) != nullptr || std::string(once) == "To"));
    REQUIRE(prepared.value().message.header.find("Bcc") == nullptr);
    // Prepared bytes read back as the same header: nothing smuggles a field or ends the header.
    const auto all = mail::whole(prepared.value());
    base::Scratch copy;
    REQUIRE(copy.append(all.value().all(1 << 20).value()).ok());
    const auto again = mail::split(std::move(copy));
    REQUIRE(again.ok());
    REQUIRE(again.value().header.text() == header);
  }
  CHECK(sound > 3000);
}
