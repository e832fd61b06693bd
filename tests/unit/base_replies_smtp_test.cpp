#include "base/replies.h"
#include "catch.h"

using base::Fault;
using base::FaultClass;

namespace {

base::Error judge(int code, const char* status, const char* text, const char* stage) {
  base::SmtpReplyFacts facts;
  facts.code = code;
  facts.status = status;
  facts.text = text;
  facts.stage = stage;
  facts.account = "site";
  facts.user = "noreply@contoso.com";
  facts.sender = "x@contoso.com";
  facts.host = "smtp.office365.com";
  facts.recipient = "you@else.example";
  return base::judge_smtp_reply(facts);
}

struct Case {
  int code;
  const char* status;
  const char* text;
  const char* stage;
  Fault fault;
  FaultClass kind;
};

}  // namespace

TEST_CASE("replies: the texts of the contract", "[base]") {
  const base::Error off =
      judge(535, "5.7.139",
            "Authentication unsuccessful, SmtpClientAuthentication is disabled for "
            "the Mailbox. Visit https://aka.ms/smtp_auth_disabled",
            "auth");
  CHECK(off.cause == "SMTP sign-in is off for noreply@contoso.com");
  CHECK(off.cure == "run: mailbearer login site --transport graph");

  const base::Error refused = judge(535, "5.7.3", "Authentication unsuccessful [HOST]", "auth");
  CHECK(refused.cause == "server refuses the token for noreply@contoso.com");
  CHECK(refused.cure == "run: mailbearer doctor site");
  CHECK(refused.said == "535 5.7.3 Authentication unsuccessful [HOST]");
  CHECK(refused.account == "site");
  CHECK(refused.status == "5.7.3");

  const base::Error send_as =
      judge(550, "5.7.60", "SMTP; Client does not have permissions to send as this sender", "end");
  CHECK(send_as.cause == "noreply@contoso.com may not send as x@contoso.com");
  CHECK(send_as.cure == "grant Send As, or set rewrite_from = always");
  CHECK(send_as.fault == Fault::not_permitted);
  CHECK(send_as.kind == FaultClass::hold);

  const base::Error limit =
      judge(432, "4.3.2", "STOREDRV.ClientSubmit; sender thread limit exceeded", "end");
  CHECK(limit.cause == "provider limit, 30 messages a minute");
  CHECK(limit.cure == "try again after 40 s");
  CHECK(limit.retry_after_s == 40);
}

TEST_CASE("replies: facts 2.5, 2.6 and 4.1 are classed as they say", "[base]") {
  constexpr FaultClass permanent = FaultClass::permanent;
  constexpr FaultClass temporary = FaultClass::temporary;
  constexpr FaultClass hold = FaultClass::hold;
  const Case cases[] = {
      {535, "5.7.139", "basic authentication is disabled", "auth", Fault::sign_in_needed, hold},
      {535, "5.7.139", "the user credentials were incorrect", "auth", Fault::sign_in_needed, hold},
      {535, "5.7.139", "something new", "auth", Fault::sign_in_needed, hold},
      {550, "5.7.30", "Basic authentication is not supported", "auth", Fault::sign_in_needed, hold},
      {530, "5.7.57", "Client not authenticated to send mail", "mail", Fault::sign_in_needed, hold},
      {501, "5.5.124", "Invalid XOAUTH2 auth data", "auth", Fault::config, hold},
      {501, "5.5.127", "Token will expire soon", "auth", Fault::unavailable, temporary},
      {454, "4.7.0", "Too many login attempts", "auth", Fault::unavailable, temporary},
      {454, "4.7.0", "Cannot authenticate due to temporary system problem", "auth",
       Fault::unavailable, temporary},
      {421, "4.3.2", "Service not available", "mail", Fault::unavailable, temporary},
      {432, "4.3.2", "Concurrent connections limit exceeded.", "end", Fault::unavailable,
       temporary},
      {554, "5.2.0", "STOREDRV.Submission.Exception:SubmissionQuotaExceededException", "end",
       Fault::unavailable, temporary},
      {550, "5.1.90", "Your message can't be sent because you've reached your daily limit", "end",
       Fault::unavailable, temporary},
      {554, "5.2.2", "Submission quota exceeded", "end", Fault::unavailable, temporary},
      {554, "5.2.2", "mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExcep",
       "end", Fault::sign_in_needed, hold},
      {554, "5.2.252", "SendAsDenied; a not allowed to send as b", "end", Fault::not_permitted,
       hold},
      {554, "5.2.0",
       "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", "end",
       Fault::not_permitted, hold},
      {554, "5.2.0", "MapiExceptionMaxSubmissionExceeded; Message size exceeds maximum size limit",
       "end", Fault::bad_message, permanent},
      {552, "5.3.4", "Message size exceeds fixed maximum message size", "mail", Fault::bad_message,
       permanent},
      {552, "5.3.4", "Header size exceeds fixed maximum size", "end", Fault::bad_message,
       permanent},
      {554, "5.6.0", "Invalid message content", "end", Fault::bad_message, permanent},
      {554, "5.2.0", "OutboundSpamException; WASCL UserAction verdict is Suspend", "end",
       Fault::sign_in_needed, hold},
      {554, "5.2.0", "OutboundSpamException; WASCL UserAction verdict is RefuseQuota", "end",
       Fault::unavailable, temporary},
      {550, "5.1.8", "Access denied, bad outbound sender", "end", Fault::not_permitted, hold},
      {550, "5.7.705", "Access denied, tenant has exceeded threshold", "end", Fault::not_permitted,
       hold},
      {451, "4.7.500", "Access denied, please try again later", "rcpt", Fault::unavailable,
       temporary},
      {550, "5.2.121", "Recipient's per hour message receive limit exceeded", "end",
       Fault::unavailable, temporary},
      {550, "5.7.233", "tenant external recipient limit", "end", Fault::unavailable, temporary},
      {452, "4.5.3", "Too many recipients", "rcpt", Fault::unavailable, temporary},
      {550, "5.7.64", "TenantAttribution; Relay Access Denied", "rcpt", Fault::config, hold},
      {550, "5.7.68", "TenantInboundAttribution; Direct Send not allowed", "rcpt", Fault::config,
       hold},
      {550, "5.1.1", "User unknown", "rcpt", Fault::bad_recipient, permanent},
      {550, "5.1.10", "RecipientNotFound", "rcpt", Fault::bad_recipient, permanent},
      {550, "5.7.133", "sender not authenticated for group", "rcpt", Fault::bad_recipient,
       permanent},
      {550, "5.4.5", "Daily user sending limit exceeded", "end", Fault::unavailable, temporary},
      {534, "5.7.9", "Please log in with your web browser", "auth", Fault::sign_in_needed, hold},
      {552, "5.2.3", "Your message exceeded Google's message size limits", "end",
       Fault::bad_message, permanent},
      {552, "5.7.0", "This message was blocked because its content", "end", Fault::bad_message,
       permanent},
      {550, "5.7.1", "unusual", "end", Fault::bad_message, permanent},
      {535, "5.7.8", "Username and Password not accepted", "auth", Fault::sign_in_needed, hold},
      {432, "4.7.12", "A password transition is needed", "auth", Fault::sign_in_needed, hold},
  };
  for (const Case& one : cases) {
    INFO(one.code << " " << one.status << " " << one.text << " at " << one.stage);
    const base::Error error = judge(one.code, one.status, one.text, one.stage);
    CHECK(error.fault == one.fault);
    CHECK(error.kind == one.kind);
    CHECK_FALSE(error.cure.empty());
    CHECK(error.cause.find('{') == std::string::npos);
    CHECK(error.cure.find('{') == std::string::npos);
    CHECK(error.cause.size() + sizeof("sendmail: not sent (site): ") < 110);
  }
}

TEST_CASE("replies: an unknown reply goes by its code, its stage and the server's words",
          "[base]") {
  for (const char* stage : {"banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end"}) {
    INFO(stage);
    CHECK(judge(499, "", "odd", stage).fault == Fault::unavailable);
    CHECK(judge(499, "", "odd", stage).kind == FaultClass::temporary);
    CHECK(judge(599, "", "odd words", stage).said == "599 odd words");
  }
  CHECK(judge(599, "", "", "banner").fault == Fault::config);
  CHECK(judge(599, "", "", "ehlo").fault == Fault::protocol);
  CHECK(judge(599, "", "", "starttls").fault == Fault::unavailable);
  CHECK(judge(599, "", "", "auth").fault == Fault::sign_in_needed);
  CHECK(judge(599, "", "", "mail").fault == Fault::not_permitted);
  CHECK(judge(599, "", "", "rcpt").fault == Fault::bad_recipient);
  CHECK(judge(599, "", "", "data").fault == Fault::bad_message);
  CHECK(judge(599, "", "", "end").fault == Fault::bad_message);
}

TEST_CASE("replies: a password that is refused is called one, a policy stays a policy", "[base]") {
  base::SmtpReplyFacts facts;
  facts.code = 535;
  facts.stage = "auth";
  facts.account = "site";
  facts.user = "me@x.example";
  facts.by_password = true;
  for (const char* status : {"", "5.7.3", "5.7.8"}) {
    facts.status = status;
    const base::Error error = base::judge_smtp_reply(facts);
    CHECK(error.cause == "server refuses the password of me@x.example");
    CHECK(error.cure == "run: mailbearer secret set site password");
    CHECK(error.fault == Fault::sign_in_needed);
  }
  facts.status = "5.7.139";
  facts.text = "Basic authentication is disabled";
  CHECK(base::judge_smtp_reply(facts).cause == "server takes no passwords from me@x.example");
  facts.status = "5.7.3";
  facts.by_password = false;
  CHECK(base::judge_smtp_reply(facts).cause == "server refuses the token for me@x.example");
}

TEST_CASE("replies: what is no refusal fits nothing", "[base]") {
  for (const int code : {0, 199, 220, 250, 334, 354, 600, -1}) {
    CHECK(judge(code, "", "x", "end").fault == Fault::protocol);
  }
}

TEST_CASE("replies: A7 hostile words are cleaned and cut, and braces stay braces", "[base]") {
  base::SmtpReplyFacts facts;
  const std::string text = "\x1b[31m{user}\r\n\xff" + std::string(100'000, 'x');
  facts.code = 550;
  facts.text = text;
  facts.stage = "rcpt";
  facts.user = "me";
  facts.recipient = "{user}\n@evil";
  const base::Error error = base::judge_smtp_reply(facts);
  CHECK(error.said.rfind("550 \\x1b[31m{user}\\x0d\\x0a\\xff", 0) == 0);
  CHECK(error.said.size() <= 403);
  CHECK(error.cause == "server refuses {user}\\x0a@evil");
}
