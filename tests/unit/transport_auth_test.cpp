#include "base/seal.h"
#include "catch.h"
#include "transport/smtp_auth.h"
#include "transport_script.h"

using base::Fate;
using base::Fault;
using script::Behaviour;
using script::Run;
using State = base::Fate::State;

namespace {
const std::string refused = "535 5.7.3 Authentication unsuccessful [HOST]\r\n";

Behaviour answering(std::deque<std::string> auth) {
  Behaviour out;
  out.auth = std::move(auth);
  return out;
}

std::string blob(const std::string& token) {
  return base::base64(
      "user=me@corp.example\x01"
      "auth=Bearer " +
      token + "\x01\x01");
}

std::vector<std::string> auth_lines(Run& run, std::size_t connection = 0) {
  std::vector<std::string> out;
  for (const std::string& line : run.seen(connection).lines) {
    const bool other = line.rfind("EHLO", 0) == 0 || line.rfind("MAIL", 0) == 0 ||
                       line.rfind("RCPT", 0) == 0 || line == "DATA" || line == "QUIT" ||
                       line == "STARTTLS";
    if (!other) out.push_back(line);
  }
  return out;
}
}  // namespace

TEST_CASE("auth: XOAUTH2 with an initial response", "[transport]") {
  Run run{Behaviour()};
  run.go();
  CHECK(run.fate().state == State::delivered);
  CHECK(auth_lines(run) == std::vector<std::string>{"AUTH XOAUTH2 " + blob("tok-canary-1")});
  CHECK(run.asked == std::vector<bool>{false});
}

TEST_CASE("auth: two steps, with a 334 that has text, a blank, or nothing", "[transport]") {
  for (const std::string ready : {"334\r\n", "334 \r\n", "334 go on\r\n"}) {
    Run run{answering({ready, "235 ok\r\n"})};
    run.account.sasl_ir = account::SaslIr::no;
    run.go();
    CHECK(run.fate().state == State::delivered);
    CHECK(auth_lines(run) == std::vector<std::string>{"AUTH XOAUTH2", blob("tok-canary-1")});
  }
}

TEST_CASE("auth: automatic sends an initial response only within 512 octets", "[transport]") {
  const auto lines = [](std::size_t token_size) {
    Run run{answering({token_size > 300 ? "334 \r\n" : "235 ok\r\n", "235 ok\r\n"})};
    run.account.sasl_ir = account::SaslIr::automatic;
    run.token = std::string(token_size, 't');
    run.go();
    CHECK(run.fate().state == State::delivered);
    return auth_lines(run).size();
  };
  CHECK(lines(100) == 1);
  CHECK(lines(2000) == 2);
  // "AUTH XOAUTH2 " + base64 + CRLF is 511 octets with 372 octets of message, 515 with 373.
  const std::size_t around = std::string("user=me@corp.example1auth=Bearer 11").size();
  Run fits{Behaviour()};
  fits.account.sasl_ir = account::SaslIr::automatic;
  fits.token = std::string(372 - around, 't');
  fits.go();
  CHECK(auth_lines(fits).size() == 1);
  Run over{answering({"334 \r\n", "235 ok\r\n"})};
  over.account.sasl_ir = account::SaslIr::automatic;
  over.token = std::string(373 - around, 't');
  over.go();
  CHECK(auth_lines(over).size() == 2);
}

TEST_CASE("auth: a server that cannot take the initial response gets two steps", "[transport]") {
  for (const std::string no : {"500 5.5.6 line too long\r\n", "501 syntax\r\n", "504 what\r\n"}) {
    Run run{answering({no, "334 \r\n", "235 ok\r\n"})};
    run.go();
    CHECK(run.fate().state == State::delivered);
    CHECK(run.wire.servers.size() == 1);
    CHECK(run.asked.size() == 1);
    CHECK(auth_lines(run).size() == 3);
  }
}

TEST_CASE("auth: P11 the error challenge of XOAUTH2 is answered with an empty line",
          "[transport]") {
  const std::string json = R"({"status":"401","schemes":"bearer"})";
  const std::string challenge = "334 " + base::base64(json) + "\r\n";
  const std::string no = "535 5.7.8 not accepted\r\n";
  Run run{answering({challenge, no, challenge, no})};
  run.go();
  CHECK(run.fate().state == State::held);
  CHECK(run.fate().error.said == "535 5.7.8 not accepted " + json);
  CHECK(auth_lines(run) == std::vector<std::string>{"AUTH XOAUTH2 " + blob("tok-canary-1"), "",
                                                    "AUTH XOAUTH2 " + blob("tok-canary-2"), ""});
}

TEST_CASE("auth: OAUTHBEARER as RFC 7628 has it, its challenge answered with AQ==", "[transport]") {
  Run run{answering({"334 e30=\r\n", "535 5.7.8 no\r\n", "334 e30=\r\n", "535 5.7.8 no\r\n"})};
  run.account.auth = account::Auth::oauthbearer;
  run.account.user = "a,b=c@corp.example";
  run.go();
  CHECK(run.fate().state == State::held);
  const std::vector<std::string> lines = auth_lines(run);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "AUTH OAUTHBEARER " +
                        base::base64("n,a=a=2Cb=3Dc@corp.example,\x01host=smtp.example\x01port=587"
                                     "\x01"
                                     "auth=Bearer tok-canary-1\x01\x01"));
  CHECK(lines[1] == "AQ==");
}

TEST_CASE("auth: PLAIN and LOGIN", "[transport]") {
  Run plain{Behaviour()};
  plain.account.auth = account::Auth::plain;
  plain.go();
  CHECK(plain.fate().state == State::delivered);
  const std::string message = std::string("\0me@corp.example\0tok-canary-1", 29);
  CHECK(auth_lines(plain) == std::vector<std::string>{"AUTH PLAIN " + base::base64(message)});

  Run login{answering({"334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 ok\r\n"})};
  login.account.auth = account::Auth::login;
  login.go();
  CHECK(login.fate().state == State::delivered);
  CHECK(auth_lines(login) == std::vector<std::string>{"AUTH LOGIN", base::base64("me@corp.example"),
                                                      base::base64("tok-canary-1")});
  CHECK(login.trace.find(base::base64("tok-canary-1")) == std::string::npos);
}

TEST_CASE("auth: P4 a refused token is replaced once, on the same connection", "[transport]") {
  Run run{answering({refused, "235 ok\r\n"})};
  run.go();
  CHECK(run.fate().state == State::delivered);
  CHECK(run.asked == std::vector<bool>{false, true});
  CHECK(run.wire.servers.size() == 1);
  CHECK(auth_lines(run) == std::vector<std::string>{"AUTH XOAUTH2 " + blob("tok-canary-1"),
                                                    "AUTH XOAUTH2 " + blob("tok-canary-2")});
}

TEST_CASE("auth: P4 a token refused twice needs a person, and nothing is sent", "[transport]") {
  Run run{answering({refused, refused, refused})};
  run.go();
  CHECK(run.fate().state == State::held);
  CHECK(run.fate().error.fault == Fault::sign_in_needed);
  CHECK(run.fate().error.cause == "server refuses the token for me@corp.example");
  CHECK(run.fate().error.cure == "run: mailbearer doctor work");
  CHECK(run.fate().error.said == "535 5.7.3 Authentication unsuccessful [HOST]");
  CHECK(run.asked == std::vector<bool>{false, true});
}

TEST_CASE("auth: a server that closes after the refusal is called again with the fresh token",
          "[transport]") {
  Behaviour first = answering({refused, script::close_it});
  Run run{std::vector<Behaviour>{first, Behaviour()}};
  run.go();
  CHECK(run.fate().state == State::delivered);
  CHECK(run.wire.servers.size() == 2);
  CHECK(run.asked == std::vector<bool>{false, true});
  CHECK(auth_lines(run, 1) == std::vector<std::string>{"AUTH XOAUTH2 " + blob("tok-canary-2")});
}

TEST_CASE("auth: a server that always closes is not called for ever", "[transport]") {
  Run run{answering({refused, script::close_it})};
  run.go();
  CHECK(run.fate().state == State::held);  // the second connection's answer to the fresh token
  CHECK(run.wire.servers.size() == 2);
  CHECK(run.asked == std::vector<bool>{false, true});
}

TEST_CASE("auth: the same token again is not offered again", "[transport]") {
  Run run{answering({refused, "235 ok\r\n"})};
  run.fresh_token = run.token;
  run.go();
  CHECK(run.fate().state == State::held);
  CHECK(auth_lines(run).size() == 1);
}

TEST_CASE("auth: when no fresh token is to be had, that is the reason told", "[transport]") {
  Run run{answering({refused})};
  run.fresh_fails = base::failure(Fault::sign_in_needed, "sign-in expired (AADSTS700082)");
  run.go();
  CHECK(run.fate().state == State::held);
  CHECK(run.fate().error.cause == "sign-in expired (AADSTS700082)");
  CHECK(run.fate().error.account == "work");
}

TEST_CASE("auth: SMTP that is switched off, and a busy server, ask for no fresh token",
          "[transport]") {
  Run off{
      answering({"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is "
                 "disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled\r\n"})};
  off.go();
  CHECK(off.fate().state == State::held);
  CHECK(off.fate().error.cause == "SMTP sign-in is off for me@corp.example");
  CHECK(off.fate().error.cure == "run: mailbearer login work --transport graph");
  CHECK(off.asked.size() == 1);

  Run busy{answering({"454 4.7.0 Temporary authentication failure\r\n"})};
  busy.go();
  CHECK(busy.fate().state == State::deferred);
  CHECK(busy.fate().error.fault == Fault::unavailable);
  CHECK(busy.asked.size() == 1);
}

TEST_CASE("auth: P11 a mechanism that is not offered inside TLS is not tried", "[transport]") {
  Behaviour behaviour;
  behaviour.tls_offers = "250-here\r\n250 AUTH LOGIN\r\n";
  Run run{behaviour};
  run.go();
  CHECK(run.fate().error.fault == Fault::config);
  CHECK(run.fate().error.cause == "smtp.example:587 does not offer AUTH XOAUTH2 but LOGIN");
  CHECK(run.asked.empty());
  behaviour.tls_offers = "250 here\r\n";
  Run none{behaviour};
  none.go();
  CHECK(none.fate().error.cause.find("no sign-in at all") != std::string::npos);
}

TEST_CASE("auth: no secret leaves on a stream without TLS", "[transport]") {
  for (const account::Auth auth : {account::Auth::xoauth2, account::Auth::oauthbearer,
                                   account::Auth::plain, account::Auth::login}) {
    Run run{Behaviour()};
    run.account.smtp_tls = account::SmtpTls::none;
    run.account.auth = auth;
    run.go();
    CHECK(run.fate().error.fault == Fault::config);
    CHECK(run.wire.servers.empty());
    // The class itself refuses, too.
    const transport::Credential credential = [](bool) -> base::Result<base::Secret> {
      return base::Secret("tok-canary-1");
    };
    script::ScriptedWire wire({Behaviour()});
    transport::Dialogue dialogue(run.account, script::quick(), {});
    REQUIRE(dialogue.open(wire).ok());
    transport::SignIn sign_in(run.account, credential, nullptr);
    CHECK_FALSE(sign_in.run(dialogue).ok());
    for (const script::Written& one : wire.writes) {
      CHECK(one.bytes.find("AUTH") == std::string::npos);
    }
  }
}

TEST_CASE("auth: without sign-in and without TLS a relay is used as it is", "[transport]") {
  Run run{Behaviour()};
  run.account.smtp_tls = account::SmtpTls::none;
  run.account.auth = account::Auth::none;
  run.go();
  CHECK(run.fate().state == State::delivered);
  CHECK(run.asked.empty());
}

TEST_CASE("auth: control bytes in user or token, and endless tokens, are refused", "[transport]") {
  for (const std::string& token : {std::string("a\x01"
                                               "b"),
                                   std::string("a\r\nb"), std::string()}) {
    Run run{Behaviour()};
    run.token = token;
    run.go();
    CHECK(run.fate().error.fault == Fault::config);
    CHECK(auth_lines(run).empty());
  }
  Run user{Behaviour()};
  user.account.user = "me\x01@corp.example";
  user.go();
  CHECK(user.fate().error.fault == Fault::config);
  Run longer{Behaviour()};
  longer.token = std::string(10'000, 't');
  longer.go();
  CHECK(longer.fate().error.cause.find("too long") != std::string::npos);
  CHECK(auth_lines(longer).empty());
}

TEST_CASE("auth: implicit TLS is encrypted before the greeting", "[transport]") {
  Run run{Behaviour()};
  run.account.smtp_tls = account::SmtpTls::implicit;
  run.go();
  CHECK(run.fate().state == State::delivered);
  for (const script::Written& one : run.wire.writes) {
    CHECK(one.encrypted);
    CHECK(one.bytes.find("STARTTLS") == std::string::npos);
  }
}

namespace {
// Every piece of 16 octets of a secret, which nothing that is shown may hold.
bool tells(const std::string& shown, const std::string& secret) {
  for (std::size_t at = 0; at + 16 <= secret.size(); ++at) {
    if (shown.find(secret.substr(at, 16)) != std::string::npos) return true;
  }
  return shown.find(secret) != std::string::npos;
}

std::string shown_by(const Run& run) {
  return run.trace + run.fate().error.cause + run.fate().error.said + run.fate().said;
}
}  // namespace

TEST_CASE("auth: a server that quotes the sign-in is not repeated", "[transport]") {
  const std::string token = "eyJ0eXAi.OiJKV1Qi-LCJhbGciOiJSUzI1NiIsImtpZCI6.Ik1yNS1BVWli";
  const std::string sent = blob(token);
  std::string capitals = sent;
  for (char& c : capitals) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  const std::vector<std::string> quotes = {
      "500 Command unrecognized: \"AUTH XOAUTH2 " + sent + "\"\r\n",
      "535 5.7.8 rejected: " + sent.substr(0, 60) + "...\r\n",
      "535 5.7.8 rejected: ..." + sent.substr(40) + "\r\n",
      "535-5.7.8 rejected: " + sent.substr(0, 10) + "\r\n535-5.7.8 " + sent.substr(10, 10) +
          "\r\n535 5.7.8 " + sent.substr(20) + "\r\n",
      "535 " + sent.substr(0, 12) + " " + sent.substr(12, 12) + "\t" + sent.substr(24) + "\r\n",
      "535 5.7.8 bad token " + token + "\r\n",
      "535 " + token.substr(7, 20) + "\r\n",
      "535 5.7.8 " + capitals + "\r\n",
      "I do not understand " + sent + "\r\n",
      "535-" + sent + "\r\n550 " + sent + "\r\n",
      "235 welcome, " + sent + "\r\n",
  };
  for (const std::string& quote : quotes) {
    INFO(quote);
    Run run{answering({quote, quote, quote})};
    run.token = run.fresh_token = token;
    run.go();
    const std::string shown = shown_by(run);
    CHECK_FALSE(tells(shown, sent));
    CHECK_FALSE(tells(shown, token));
    CHECK_FALSE(tells(shown, capitals));
    CHECK_FALSE(tells(shown, sent.substr(0, 12)));
    CHECK_FALSE(tells(shown, sent.substr(20, 12)));
    CHECK(run.trace.find("***\n") != std::string::npos);
  }
}

TEST_CASE("auth: a challenge that holds the token is not repeated, encoded or decoded",
          "[transport]") {
  const std::string token = "eyJ0eXAi.OiJKV1Qi-LCJhbGciOiJSUzI1NiIsImtpZCI6.Ik1yNS1BVWli";
  for (const std::string before : {"", "x", "xx"}) {
    const std::string encoded = base::base64(before + token + " is wrong");
    Run run{answering({"334 " + encoded + "\r\n", "535 5.7.8 no\r\n"})};
    run.token = run.fresh_token = token;
    run.go();
    CHECK(run.fate().error.cause == "server refuses the sign-in of me@corp.example");
    CHECK_FALSE(tells(shown_by(run), token));
    CHECK_FALSE(tells(shown_by(run), encoded.substr(3, 76)));
  }
}

TEST_CASE("auth: a password is not repeated, and its refusal says password", "[transport]") {
  const std::string password = "hunter2";
  for (const account::Auth auth : {account::Auth::plain, account::Auth::login}) {
    const bool is_plain = auth == account::Auth::plain;
    const std::string sent = is_plain
                                 ? base::base64(std::string("\0me@corp.example\0", 18) + password)
                                 : base::base64(password);
    const std::string no = "535 5.7.8 rejected: AUTH " + sent + " for hunter2\r\n";
    Run run{is_plain ? answering({no}) : answering({"334 \r\n", "334 \r\n", no})};
    run.account.auth = auth;
    run.token = password;
    run.go();
    CHECK(run.fate().state == State::held);
    CHECK(run.fate().error.said.rfind("535 5.7.8 rejected: AUTH ***", 0) == 0);
    CHECK(run.fate().error.cause == "server refuses the password of me@corp.example");
    CHECK(run.fate().error.cure == "run: mailbearer secret set work password");
    CHECK_FALSE(tells(shown_by(run), sent));
    CHECK_FALSE(tells(shown_by(run), password));
  }
}

TEST_CASE("auth: what is quoted late, behind the sign-in, is not repeated either", "[transport]") {
  const std::string sent = blob("tok-canary-1");
  Behaviour behaviour;
  behaviour.answers["end"] = "250 2.0.0 " + sent + "\r\n";
  Run run{behaviour};
  run.go();
  CHECK(run.fate().state == State::delivered);
  CHECK(run.fate().said == "250 2.0.0 ***");
  CHECK_FALSE(tells(shown_by(run), sent));
}
