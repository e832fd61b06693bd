#include <chrono>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "catch.h"
#include "cli/command.h"
#include "doctor/explain.h"
#include "doctor/pasted_reply.h"

using doctor::PastedReply;

namespace {

PastedReply read(std::string_view pasted, std::string_view stage = {}) {
  base::Result<PastedReply> reply = doctor::read_pasted(pasted, stage);
  REQUIRE(reply.ok());
  return std::move(*reply);
}

doctor::Explanation explained(std::string_view pasted, std::string_view stage = {}) {
  base::Result<doctor::Explanation> out = doctor::explain(pasted, stage);
  REQUIRE(out.ok());
  return std::move(*out);
}

// The exit code of the likeliest meaning.
int exit_of(std::string_view pasted, std::string_view stage = {}) {
  return explained(pasted, stage).meanings.front().exit;
}

}  // namespace

TEST_CASE("pasted reply: the line of a server, of a dialogue, of other programs", "[doctor]") {
  for (const char* line : {
           "535 5.7.8 no such user",
           "  535 5.7.8 no such user\r\n",
           "535-5.7.8 no such\n535 5.7.8 user",
           "<<< 535 5.7.8 no such user",
           "\x1B[31m535 5.7.8\x1B[0m no such user",
           "<- 535 5.7.8 no such user\n-> QUIT\n<- 221 2.0.0 bye",
           "(535, b'5.7.8 no such user",
           "msmtp: server message: 535 5.7.8 no such user",
           "SMTP error from remote mail server: 535 5.7.8 no such user",
           "status=bounced (host mx.example[192.0.2.25] said: 535 5.7.8 no such user",
           "sendmail: not sent (work): cause; cure [server: \"535 5.7.8 no such user\"]",
           "Nov 21 22:23:24 host sendmail[550]: not sent: cause [server: \"535 5.7.8 no such "
           "user\"]",
       }) {
    INFO(line);
    const PastedReply reply = read(line);
    CHECK(reply.kind == PastedReply::Kind::smtp);
    CHECK(reply.code == 535);
    CHECK(reply.word == "5.7.8");
    CHECK(reply.text == "no such user");
  }
  CHECK(read("sendmail: not sent (work): x; y [server: \"550 5.1.1 z\"]").account == "work");
}

TEST_CASE("pasted reply: a code without a status, a status without a code, neither", "[doctor]") {
  const PastedReply bare = read("550 no such user");
  CHECK(bare.code == 550);
  CHECK(bare.word.empty());
  CHECK(bare.text == "no such user");
  CHECK(read("421").code == 421);
  CHECK(read("250-first\n250 second").code == 250);
  // The status is not the reply's own: another class.
  CHECK(read("550 4.7.1 odd").word.empty());
  const PastedReply status = read("5.7.139 Authentication unsuccessful");
  CHECK(status.code == 535);
  CHECK(status.word == "5.7.139");
  CHECK(read("4.9.9").code == 450);
  const PastedReply words = read("SmtpClientAuthentication is disabled for the Tenant.");
  CHECK(words.code == 535);
  CHECK(words.word == "5.7.139");
}

TEST_CASE("pasted reply: token endpoints and Graph are told from SMTP", "[doctor]") {
  CHECK(read("AADSTS700082").numbers == std::vector<long>{700082});
  CHECK(read("7000222").numbers == std::vector<long>{7000222});
  CHECK(read("see AADSTS50076: x. AADSTS53003").numbers == std::vector<long>{50076, 53003});
  CHECK(read("{\"error\":\"invalid_grant\",\"error_codes\":[50173, 7],\"n\":[8]}").numbers ==
        std::vector<long>{50173, 7});
  CHECK(read("400 invalid_grant").word == "invalid_grant");
  CHECK(read("400 invalid_grant").code == 400);
  CHECK(read("HTTP/1.1 503 Service Unavailable\n\ntemporarily_unavailable").code == 503);
  CHECK(read("sendmail: not sent (a): sign-in expired (AADSTS700082, unused for 90 days); run: x")
            .numbers == std::vector<long>{700082});
  for (const char* graph : {"ErrorSendAsDenied", "errorsendasdenied", "403 ErrorSendAsDenied",
                            "{\"error\":{\"code\":\"ErrorSendAsDenied\",\"message\":\"m\"}}"}) {
    INFO(graph);
    CHECK(read(graph).kind == PastedReply::Kind::graph);
    CHECK(read(graph).word == "ErrorSendAsDenied");
  }
  CHECK(read("429").kind == PastedReply::Kind::graph);
  CHECK(read("429", "token").kind == PastedReply::Kind::token);
  CHECK(read("429", "rcpt").kind == PastedReply::Kind::smtp);
  CHECK(read("503 5.5.1 Bad sequence").kind == PastedReply::Kind::smtp);
  CHECK(read("{\"error\":\"an_error_of_its_own\"}", "token").word == "an_error_of_its_own");
  CHECK(read("{\"error\":{\"code\":\"ItsOwn\",\"message\":\"m\"}}", "graph").word == "ItsOwn");
  // An SMTP reply that quotes a word of OAuth stays one.
  CHECK(read("535 5.7.8 invalid_grant").kind == PastedReply::Kind::smtp);
}

TEST_CASE("pasted reply: what is none is refused with a cure", "[doctor]") {
  for (const char* line : {"", " \n", "hello", "12", "999 x", "2.0.0", "1234567890123"}) {
    INFO(line);
    const base::Result<PastedReply> reply = doctor::read_pasted(line, {});
    REQUIRE(!reply.ok());
    CHECK(reply.error().fault == base::Fault::bad_message);
    CHECK(!reply.error().cure.empty());
  }
}

TEST_CASE("explain: without a stage the row that knows the reply wins, and the others are told",
          "[doctor]") {
  CHECK(exit_of("550 5.1.1 User unknown") == 67);
  CHECK(explained("550 5.1.1 User unknown").meanings.size() == 1);
  CHECK(exit_of("554 5.6.0 Invalid message content") == 65);
  CHECK(exit_of("535 5.7.3 Authentication unsuccessful") == 78);
  CHECK(exit_of("432 4.3.2 odd") == 69);
  const doctor::Explanation odd = explained("599 odd");
  CHECK(odd.meanings.size() > 4);
  CHECK(odd.meanings.front().exit == 67);
  CHECK(!base::is_exact(*odd.meanings.front().row));
  CHECK(exit_of("599 odd", "end") == 65);
  CHECK(exit_of("599 odd", "banner") == 78);
  const doctor::Explanation both = explained("535 5.7.3 Authentication unsuccessful");
  CHECK(both.meanings[0].error.cause == "server refuses the token for USER");
  CHECK(both.meanings[1].error.cause == "server refuses the password of USER");
  CHECK(both.meanings[1].stages == std::vector<std::string>{"password"});
}

TEST_CASE("explain: names stand for what is not known, the account of our own line is used",
          "[doctor]") {
  CHECK(explained("AADSTS700082").meanings[0].error.cure == "run: mailbearer login ACCOUNT");
  CHECK(explained("not sent (work): x (AADSTS700082); y").meanings[0].error.cure ==
        "run: mailbearer login work");
  CHECK(explained("invalid_grant").meanings[0].error.cure ==
        "run: mailbearer login ACCOUNT (grant = app: mailbearer secret set ACCOUNT "
        "client-secret)");
  CHECK(explained("550 5.7.60 x").meanings[0].error.cause == "USER may not send as SENDER");
  const std::string text = doctor::explanation_text(explained("599 {user} odd"));
  CHECK(text.find("unknown reply, judged by its code: 5xx") != std::string::npos);
}

TEST_CASE("explain: an answer that refuses nothing is called so", "[doctor]") {
  for (const char* line : {"250 2.0.0 OK", "354 go on", "334 "}) {
    INFO(line);
    const doctor::Explanation out = explained(line);
    CHECK(out.meanings[0].row == nullptr);
    CHECK(doctor::explanation_text(out).find("no refusal") != std::string::npos);
    CHECK(nlohmann::json::parse(doctor::explanation_json(out))["refusal"] == false);
  }
}

TEST_CASE("explain: an unknown stage is named with the nearest known one", "[doctor]") {
  const base::Result<doctor::Explanation> out = doctor::explain("550 x", "rcp");
  REQUIRE(!out.ok());
  CHECK(out.error().fault == base::Fault::usage);
  CHECK(out.error().cause == "unknown stage `rcp`");
  CHECK(out.error().cure == "did you mean rcpt?");
  for (const std::string& stage : doctor::stage_words()) {
    INFO(stage);
    CHECK(doctor::explain("550 x", stage).ok());
    CHECK(cli::command_help().find(stage) != std::string::npos);
  }
}

TEST_CASE("explain: hostile words are cleaned, bounded and taken in linear time (A7)", "[doctor]") {
  const auto started = std::chrono::steady_clock::now();
  const std::string escape = "550 5.1.1 \x1b[31m\xff\x80{user} \xe2\x80\xae";
  for (const std::string& body :
       {std::string(1'000'000, 'x'), std::string(1'000'000, '5'), std::string(1'000'000, '\n'),
        std::string(1'000'000, '{'), std::string(1'000'000, '\0')}) {
    const doctor::Explanation out = explained(escape + body);
    for (const std::string& shown :
         {doctor::explanation_text(out), doctor::explanation_json(out)}) {
      CHECK(shown.size() < 5'000);
      CHECK(shown.find('\x1b') == std::string::npos);
      CHECK(shown.find('\0') == std::string::npos);
      CHECK(base::is_utf8(shown));
      CHECK(shown.find("{user}") != std::string::npos);
    }
  }
  std::string many;
  while (many.size() < doctor::pasted_limit_bytes) many += "AADSTS1 550 invalid_grant ErrorX ";
  CHECK(doctor::explain(many, {}).ok());
  many.clear();
  while (many.size() < doctor::pasted_limit_bytes) many += "550-5.1.1 x\n";
  CHECK(exit_of(many) == 67);
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(20));
}

TEST_CASE("explain: the text has its parts below each other, the JSON the same facts", "[doctor]") {
  const doctor::Explanation out =
      explained("432 4.3.2 Concurrent connections limit exceeded.", "end");
  const std::string text = doctor::explanation_text(out);
  for (const char* part : {"\nmeans     ", "\nclass     temporary: worth another try after 40 s\n",
                           "\nexit      69\n", "\ncure      try again after 40 s\n",
                           "\nrow       432 4.3.2 with `concurrent`, in SMTP\n"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  const nlohmann::json json = nlohmann::json::parse(doctor::explanation_json(out));
  CHECK(json["reply"] == "432 4.3.2 Concurrent connections limit exceeded.");
  CHECK(json["kind"] == "smtp");
  CHECK(json["class"] == "temporary");
  CHECK(json["exit"] == 69);
  CHECK(json["wait_s"] == 40);
  CHECK(json["known"] == true);
  CHECK(json["elsewhere"].empty());
}
