#include "token/oauth_answer.h"
#include "token/oauth_request.h"

#include "base/clock.h"
#include "catch.h"

using token::judge_answer;
using token::OauthAnswer;

namespace {

std::string why(std::string_view body) {
  const OauthAnswer answer = judge_answer(body);
  if (!answer.unusable.empty()) {
    CHECK(answer.access_token.empty());
    CHECK(answer.refresh_token.empty());
  }
  return answer.unusable;
}

std::string with_life(const std::string& life) {
  return R"({"access_token":"abc","token_type":"Bearer","expires_in":)" + life + "}";
}

// Answers what it is told to, and keeps what it was asked.
class FakeClient : public net::HttpClient {
 public:
  base::Result<net::HttpAnswer> post(const net::HttpRequest& request) override {
    url = request.url;
    body = request.body.reveal();
    timeout_s = request.timeout_s;
    type = request.content_type;
    if (fails) return base::failure(base::Fault::unavailable, "cannot reach x (name not found)");
    net::HttpAnswer answer;
    answer.status = status;
    answer.retry_after_s = 7;
    answer.body = base::Secret(reply);
    return answer;
  }
  std::string url, body, type, reply;
  std::int64_t timeout_s = 0;
  int status = 200;
  bool fails = false;
};

}  // namespace

TEST_CASE("T4: a good answer", "[token]") {
  const OauthAnswer answer = judge_answer(
      R"( {"token_type":"Bearer","scope":"a b","expires_in":3599,"ext_expires_in":3599,
          "access_token":"eyJ0.a-b_c~d+e/f==","refresh_token":"0.AX.rt","id_token":"x",
          "more":{"deep":[1,2,{"access_token":"not this"}]},"none":null,"flag":true} )");
  CHECK(answer.unusable.empty());
  CHECK(answer.access_token.reveal() == "eyJ0.a-b_c~d+e/f==");
  CHECK(answer.refresh_token.reveal() == "0.AX.rt");
  CHECK(answer.expires_in_s == 3599);
  CHECK(answer.error.empty());
}

TEST_CASE("T4: expires_in in all its shapes", "[token]") {
  const std::vector<std::pair<std::string, std::int64_t>> rows = {
      {"3600", 3600},
      {"\"3600\"", 3600},
      {"3599.9", 3599},
      {"0", 0},
      {"-1", 0},
      {"1e18", 86400},
      {"1e300", 86400},
      {"-1e300", 0},
      {"86401", 86400},
      {"99999999999999999999", 86400},
      {"18446744073709551615", 86400},
  };
  for (const auto& [text, seconds] : rows) {
    INFO(text);
    const OauthAnswer answer = judge_answer(with_life(text));
    CHECK(answer.unusable.empty());
    CHECK(answer.expires_in_s == seconds);
  }
  for (const char* text : {"\"soon\"", "\"\"", "true", "[3600]", "{}", "\"1e3\""}) {
    INFO(text);
    CHECK(why(with_life(text)) == "expires_in has the wrong type");
  }
  CHECK(judge_answer(R"({"access_token":"abc"})").expires_in_s == 0);
  CHECK(why(with_life("null")).empty());
}

TEST_CASE("T4: bytes that no token may have", "[token]") {
  for (const char* token :
       {"a\\r\\nb", "a\\u0000b", "a\\u0001b", "a b", "a\\tb", "a\\u007fb", "ä"}) {
    INFO(token);
    CHECK(why(R"({"access_token":")" + std::string(token) + "\"}") ==
          "access_token holds bytes that no token may have");
    CHECK(why(R"({"access_token":"a","refresh_token":")" + std::string(token) + "\"}") ==
          "refresh_token holds bytes that no token may have");
  }
  CHECK(why(R"({"access_token":")" + std::string(64 * 1024, 'a') + "\"}") ==
        "access_token is too long");
}

TEST_CASE("T4: what is no answer at all", "[token]") {
  CHECK(why("") == "it is empty");
  CHECK(why("<!DOCTYPE html><html>sign in</html>") == "it is not JSON");
  CHECK(why("\x1f\x8b\x08") == "it is not JSON");
  CHECK(why("{") == "it is not JSON");
  CHECK(why(R"({"access_token":"abc"} x)") == "it is not JSON");
  CHECK(why("{\"access_token\":\"a\xff\"}") == "it is not JSON");
  CHECK(why("[]") == "it is not a JSON object");
  CHECK(why("\"abc\"") == "it is not a JSON object");
  CHECK(why("{}") == "it holds no access_token");
  CHECK(why(R"({"access_token":""})") == "it holds no access_token");
  CHECK(why(R"({"access_token":5})") == "access_token has the wrong type");
  CHECK(why(R"({"access_token":["a"]})") == "access_token has the wrong type");
  CHECK(why(R"({"access_token":null})") == "it holds no access_token");
  CHECK(why(R"({"access_token":"a","token_type":"mac"})") == "its token type is mac, not Bearer");
  CHECK(why(R"({"access_token":"a","token_type":"bEARER"})").empty());
}

TEST_CASE("T4: a name that comes twice", "[token]") {
  CHECK(why(R"({"access_token":"a","access_token":"b"})") == "the name access_token comes twice");
  CHECK(why(R"({"access_token":"a","expires_in":1,"expires_in":9})") ==
        "the name expires_in comes twice");
  CHECK(why(R"({"access_token":"a","x":1,"x":2})").empty());
}

TEST_CASE("T4: a million levels cost neither stack nor time", "[token]") {
  const auto began = base::boot_ms();
  const std::string deep(500'000, '[');
  CHECK(why("{\"x\":" + deep) == "it is nested too deep");
  CHECK(why(deep) == "it is not a JSON object");
  std::string objects = "{\"x\":";
  for (int i = 0; i < 100'000; ++i) objects += "{\"x\":";
  CHECK(why(objects) == "it is nested too deep");
  CHECK(base::boot_ms() - began < 2000);
}

TEST_CASE("token answers: an error body, whatever its other types", "[token]") {
  const OauthAnswer answer = judge_answer(
      R"({"error":"invalid_grant","error_description":"AADSTS700082: expired.\r\nTrace ID: 1",
          "error_codes":[700082,50173,"x",-4],"timestamp":"2026","claims":{"a":[1]}})");
  CHECK(answer.unusable.empty());
  CHECK(answer.error == "invalid_grant");
  CHECK(answer.codes == std::vector<long>{700082, 50173});
  CHECK(answer.description.find("Trace ID") != std::string::npos);
  CHECK(why(R"({"error":{"code":400,"message":"x"}})") == "it holds no access_token");
  const OauthAnswer many =
      judge_answer(R"({"error":"e","error_codes":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]})");
  CHECK(many.codes.size() == 16);
}

TEST_CASE("oauth request: the form is encoded as RFC 6749 appendix B says", "[token]") {
  net::Record request("token");
  request.put("url", "https://x/");
  request.put("form.client_secret", "a~b.c+d&e=f g%\xc3\xa4");
  request.put("form.scope", "https://x/.default");
  CHECK(token::form_of(request).reveal() ==
        "client_secret=a~b.c%2Bd%26e%3Df%20g%25%C3%A4&scope=https%3A%2F%2Fx%2F.default");
}

TEST_CASE("oauth request: the record becomes a POST, the answer a record", "[token]") {
  FakeClient client;
  client.reply = R"({"access_token":"abc","expires_in":"10","refresh_token":"r2"})";
  net::Record request("token");
  request.put("url", "https://login.example.org/t");
  request.put("timeout", "9999");
  request.put("form.grant_type", "refresh_token");
  const net::Record answer = token::serve_token_request(request, client);
  CHECK(client.url == "https://login.example.org/t");
  CHECK(client.body == "grant_type=refresh_token");
  CHECK(client.type == "application/x-www-form-urlencoded");
  CHECK(client.timeout_s == 600);
  CHECK(answer.get("status") == "200");
  CHECK(answer.get("access_token") == "abc");
  CHECK(answer.get("refresh_token") == "r2");
  CHECK(answer.get("expires_in") == "10");
  CHECK(answer.get("retry_after") == "7");
  CHECK_FALSE(net::has_error(answer));
  client.fails = true;
  const net::Record failed = token::serve_token_request(request, client);
  REQUIRE(net::has_error(failed));
  CHECK(net::get_error(failed).cause == "cannot reach x (name not found)");
}

TEST_CASE("A15: a server that quotes our secrets does not get them shown", "[token]") {
  FakeClient client;
  client.status = 400;
  client.reply =
      R"({"error":"invalid_grant","error_description":"token canary-rt and canary-rt, canary-cs\n"})";
  net::Record request("token");
  request.put("form.refresh_token", "canary-rt");
  request.put("form.client_secret", "canary-cs");
  const net::Record answer = token::serve_token_request(request, client);
  CHECK(answer.get("error_description") == "token [...] and [...], [...]\\x0a");
}

TEST_CASE("A15: nor cut short, nor form-encoded", "[token]") {
  FakeClient client;
  client.status = 400;
  client.reply =
      R"({"error":"invalid_grant","error_description":"got canary~token/with-a-long-ta and canary~token%2Fwith-a-long-tail."})";
  net::Record request("token");
  request.put("form.refresh_token", "canary~token/with-a-long-tail");
  const net::Record answer = token::serve_token_request(request, client);
  const std::string_view shown = answer.get("error_description");
  CHECK(shown.find("[...]") != std::string_view::npos);
  for (const char* part : {"canary", "token", "with", "long", "tail"}) {
    CHECK(shown.find(part) == std::string_view::npos);
  }
}
